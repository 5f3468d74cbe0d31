"""Reads the pages of the documentation: links, code blocks, commands."""
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {'.git', '.venv', 'work_dirs', 'data', 'build'}


def pages() -> list[Path]:
    """All Markdown pages of the project."""
    return sorted(path for path in ROOT.rglob('*.md')
                  if not SKIPPED & set(path.relative_to(ROOT).parts)
                  and 'cltdr_mm' not in path.relative_to(ROOT).parts  # links to configs/
                  and not any(part.startswith('.') for part in path.relative_to(ROOT).parts))


def name_of(path: Path) -> str:
    """How a page is called in test reports."""
    return path.relative_to(ROOT).as_posix()


@dataclass
class Block:
    """A piece of code on a page.

    Attributes:
        language (str): Of a fenced block; '' for none, 'indented' for an indented one.
        text (str): The code.
    """

    language: str
    text: str


FENCED = re.compile(r'^```(\w*)[^\n]*\n(.*?)^```\s*$', re.MULTILINE | re.DOTALL)


def blocks(text: str) -> list[Block]:
    """Fenced and indented blocks in their order of kind."""
    found = [Block(*match.groups()) for match in FENCED.finditer(text)]
    rest = FENCED.sub('\n', text)
    for match in re.finditer(r'(?:^(?:    .*|[ ]*)\n)+', rest + '\n', re.MULTILINE):
        lines = [line[4:] for line in match.group().splitlines()]
        if any(line.strip() for line in lines):
            found.append(Block('indented', '\n'.join(lines).strip('\n') + '\n'))
    return found


def python_blocks(path: Path) -> list[str]:
    """Python code of a page."""
    return [b.text for b in blocks(path.read_text('utf-8')) if b.language == 'python']


def commands(path: Path) -> list[list[str]]:
    """Shell commands of a page that start ``cltdr`` or one of the tools, split into words.

    Lines that end in a backslash go on. Both blocks and inline code count.
    """
    text = path.read_text('utf-8')
    lines = []
    for block in blocks(text):
        if block.language != 'python':
            lines += block.text.replace('\\\n', ' ').splitlines()
    lines += re.findall(r'`([^`\n]+)`', FENCED.sub('\n', text))
    found = []
    for line in lines:
        match = re.match(r'\s*(?:\$\s+)?(?:[A-Z_]+=\S+\s+)*'
                         r'((?:python\s+)?tools/\S+\.(?:py|sh)\s.*|cltdr\s+[a-z].*)', line)
        if match:
            words = shlex.split(match.group(1), comments=True)
            found.append(words[1:] if words[0] == 'python' else words)
    return found


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    names = set()
    for heading in re.findall(r'^#+\s+(.*?)\s*$', FENCED.sub('\n', text), re.MULTILINE):
        heading = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading)
        name = re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
        count = found.get(name, 0)
        found[name] = count + 1
        names.add(f'{name}-{count}' if count else name)
    return names
