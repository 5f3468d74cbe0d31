"""The console command ``cltdr VERB``: one module a verb, the same in ``tools/``.

A verb's module has a docstring, whose first line is its line in the list of verbs, and
``main(argv)``. A package is a verb with verbs of its own, such as ``cltdr convert hapt``.
"""
import argparse
import ast
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Optional

from ..version import __version__

#: The order of the work, in which verbs are listed; those not here follow.
ORDER = ('demo', 'features', 'labels', 'check', 'init', 'train', 'test', 'infer', 'report', 'draw',
         'diagnose', 'evaluate', 'submission', 'flops', 'export', 'proposals', 'epic_action',
         'convert')


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Run the verb that the command line names.

    Args:
        argv (Sequence[str], optional): The words after ``cltdr``. Defaults to None: those of the
            program.

    Raises:
        SystemExit: After help; with status 2 if there is no such verb.
    """
    run_verb('cltdr', __name__, sys.argv[1:] if argv is None else argv)


def run_verb(program: str, package: str, argv: Sequence[str]) -> None:
    """Run one of a package's modules as a verb.

    Args:
        program (str): What was typed so far, such as ``'cltdr convert'``.
        package (str): Where the verbs are, such as ``'cltdr_mm.cli.convert'``.
        argv (Sequence[str]): The verb and its arguments.

    Raises:
        SystemExit: After help; with status 2 if there is no such verb.
    """
    verbs = _verbs(package)
    parser = argparse.ArgumentParser(
        program, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=f'{program} VERB ...   ({program} VERB -h explains one)',
        description='\n'.join(f'  {name:<14}{line}' for name, line in verbs.items()))
    parser.add_argument('--version', action='version', version=f'cltdr_mm {__version__}')
    if argv and argv[0] == '--version':
        parser.parse_args(argv)
    if not argv or argv[0] in ('-h', '--help'):
        parser.print_help()
        raise SystemExit(0 if argv else 2)
    name, *rest = argv
    if name not in verbs:
        near = get_close_matches(name, verbs, 1)
        hint = f'did you mean {near[0]}?' if near else f'there are {", ".join(verbs)}'
        parser.error(f'no verb {name!r}; {hint}')
    sys.argv[0] = f'{program} {name}'  # what a parser calls the program
    importlib.import_module(f'{package}.{name}').main(rest)


def verb_parser(doc: str) -> argparse.ArgumentParser:
    """Make the parser of a verb.

    Args:
        doc (str): Docstring of its module: a line, then whatever its help shows at the end, such
            as examples.
    """
    line, _, rest = doc.partition('\n')
    return argparse.ArgumentParser(
        description=line, epilog=rest.strip().replace('::\n\n', ':\n'),
        formatter_class=argparse.RawDescriptionHelpFormatter)


def _verbs(package: str) -> dict[str, str]:
    """Verbs of a package and their lines, without importing them."""
    path = importlib.import_module(package).__path__
    names = [module.name for module in pkgutil.iter_modules(path)]
    names.sort(key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return {name: _first_line(Path(path[0]) / name) for name in names}


def _first_line(module: Path) -> str:
    file = module / '__init__.py' if module.is_dir() else module.with_suffix('.py')
    return (ast.get_docstring(ast.parse(file.read_text('utf-8'))) or '').split('\n')[0]
