"""What the pages mention exists: links, files, options, registered names, make targets."""
import ast
import contextlib
import importlib
import inspect
import io
import itertools
import re
import runpy
import sys
from functools import cache

import pytest
import torch
from meta_device import meta_device
from mmaction import registry
from mmaction.registry import MODELS
from mmengine.config import Config, DictAction
from mmengine.registry import Registry
from pages import FENCED, ROOT, anchors, commands, name_of, pages, python_blocks

PAGES = pages()
every_page = pytest.mark.parametrize('page', PAGES, ids=name_of)
FOLDERS = 'configs|tools|docs|tests|benchmarks|cltdr_mm|requirements'


def test_pages_are_found():
    names = {name_of(page) for page in PAGES}
    assert {'README.md', 'docs/index.md', 'docs/extend.md', 'docs/datasets/custom.md',
            'configs/release/README.md'} <= names


# links and files


@every_page
def test_links_resolve(page):
    text = page.read_text('utf-8')
    broken = []
    for target in re.findall(r'\]\(([^)\s]+)\)', text):
        if re.match(r'\w+:', target):
            continue
        path, _, anchor = target.partition('#')
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            broken.append(target)
        elif anchor and anchor not in anchors(file.read_text('utf-8')):
            broken.append(f'{target}: no such heading')
    assert not broken


@every_page
def test_files_exist(page):
    text = page.read_text('utf-8')
    # what a page itself has the reader make
    made = set(re.findall(r'^# ((?:configs|projects)/\S+\.py)$', text, re.MULTILINE))
    missing = []
    for path in re.findall(rf'(?<![\w/.])((?:{FOLDERS})/[\w./-]*[\w-])', text):
        if '...' in path or path in made:
            continue
        if not (ROOT / path).exists():
            missing.append(path)
    assert not missing


def test_every_page_is_on_the_map():
    """All pages can be reached from docs/index.md by links."""
    seen, queue = set(), [ROOT / 'docs' / 'index.md']
    while queue:
        page = queue.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in re.findall(r'\]\(([^)\s#]+\.md)', page.read_text('utf-8')):
            file = (page.parent / target).resolve()
            if not re.match(r'\w+:', target) and file.is_file():
                queue.append(file)
    lost = [name_of(page) for page in PAGES
            if name_of(page).startswith('docs/') and page not in seen]
    assert not lost


@every_page
def test_make_targets_exist(page):
    targets = set(re.findall(r'^([a-z]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    text = page.read_text('utf-8')
    wanted = re.findall(r'(?:`|^    |^\$ )make ([a-z]+)', text, re.MULTILINE)
    assert set(wanted) <= targets


# commands


@cache
def options_of(tool: str, *verbs: str) -> set:
    """Options that the ``--help`` of a tool, or of a verb of ``cltdr``, names."""
    stream = io.StringIO()
    old = sys.argv
    sys.argv = [tool, *verbs, '--help']
    try:
        with contextlib.redirect_stdout(stream), pytest.raises(SystemExit) as stop:
            if verbs:
                runpy.run_module('cltdr_mm', run_name='__main__')
            else:
                runpy.run_path(str(ROOT / tool), run_name='__main__')
    finally:
        sys.argv = old
    assert stop.value.code == 0
    return set(re.findall(r'--[\w-]+', stream.getvalue()))


#: Verbs of ``cltdr`` with verbs of their own.
GROUPS = [path.parent.name for path in ROOT.glob('cltdr_mm/cli/*/__init__.py')]
SHELL = dict(dist_train='train', slurm_train='train', dist_test='test', slurm_test='test')


def python_tool(tool: str) -> str:
    """The program that a shell script hands its options to."""
    for script, program in SHELL.items():
        tool = tool.replace(f'{script}.sh', f'{program}.py')
    return tool


@every_page
def test_options_of_commands_exist(page):
    wrong = []
    for tool, *words in commands(page):
        if tool == 'cltdr':
            verbs = words[:2 if words[0] in GROUPS else 1]
            if verbs[0] == 'VERB':
                continue
            known = options_of('cltdr', *verbs)
        elif (ROOT / tool).is_file():
            known = options_of(python_tool(tool))
        else:
            wrong.append(tool)
            continue
        wrong += [f'{tool} {word}' for word in words
                  if word.startswith('--') and word.split('=')[0] not in known]
    assert not wrong


def build(config: str, options: list, device: str = 'meta'):
    """Build a config's model with changes from a command line; by default without memory."""
    cfg = Config.fromfile(ROOT / config)
    if options:
        parsed = {}
        for option in options:
            key, value = option.split('=', maxsplit=1)
            parsed[key] = DictAction._parse_iterable(value)
        cfg.merge_from_dict(parsed)
    model = {**cfg.model, 'postprocessor': {k: v for k, v in cfg.model.postprocessor.items()
                                            if k != 'fusion'}}
    torch.manual_seed(0)
    with meta_device() if device == 'meta' else torch.device(device):
        return MODELS.build(model)


@every_page
def test_cfg_options_of_commands_build(page):
    for _, *words in commands(page):
        if '--cfg-options' not in words:
            continue
        first = words.index('--cfg-options')
        options = []
        for word in words[first + 1:]:
            if word.startswith('--'):
                break
            options.append(word)
        configs = [word.split('=')[-1] for word in words[:first] if word.endswith('.py')]
        configs = [str(path.relative_to(ROOT)) for word in configs for path in ROOT.glob(word)]
        assert configs and options, words
        for config in configs:
            if not any('$' in option for option in options):
                build(config, options)


def test_benchmarks_of_other_settings_have_their_own_folder():
    """Each folder of benchmark_methods.py has one set of --cfg-options, the default one none."""
    settings = {}
    for page in PAGES:
        text = FENCED.sub('\n', page.read_text('utf-8'))
        # whole commands, and what the prose says to add to one
        for code in re.findall(r'^    (.*)|`([^`]+)`', text, re.MULTILINE):
            before, _, options = ' '.join(''.join(code).split()).partition(' --cfg-options ')
            if '--seeds' in before:
                folder = re.search(r'--work-dir (\S+)', f'{before} --work-dir default').group(1)
                settings.setdefault(folder, set()).add(options)
    assert settings.pop('default') == {''}
    assert len(settings) >= 4 and all(len(options) == 1 for options in settings.values()), settings


#: The config that the options in a page's tables are changes of.
CHANGED = {'docs/methods/gmg.md': 'cltdr_thumos', 'docs/methods/cltdr.md': 'cltdr_thumos',
           'docs/configs.md': 'cltdr_hapt', 'docs/paper_and_release.md': 'cltdr_hapt',
           'docs/methods/adatad.md': 'adatad/thumos_s',
           **{f'docs/methods/{name}.md': f'{name}_hapt' for name in (
               'tridet', 'actionformer', 'temporalmaxer', 'logo', 'asl',
               'actionmamba')}}


def table_options(*pages: str) -> list:
    """Options in inline code, with the config that they change; by default of all such pages."""
    found = []
    for page in pages or CHANGED:
        config = CHANGED[page]
        text = (ROOT / page).read_text('utf-8')
        for code in re.findall(r'`(model\.[^`\n]*=[^`\n]*)`', text):
            found.append((f'configs/{config}.py', code))
    return found


@pytest.mark.parametrize('config, code', table_options(), ids=lambda value: value)
def test_one_line_ablations(config, code):
    """Each builds another model than the config alone, or another training or test."""
    options = [option.replace('"', '') for option in code.split()]
    assert all('=' in option for option in options)

    def look(model) -> str:
        parts = [str(model)]
        for module in model.modules():
            parts.append(str({k: str(v) for k, v in vars(module).items() if k[0] != '_'}))
            for part in (getattr(module, 'assigner', None), getattr(module, 'postprocessor', None)):
                parts.append(str(type(part)) + str({
                    k: type(v).__name__ + str(getattr(v, '__dict__', v))
                    for k, v in vars(part).items()} if part else ''))
        return re.sub(r' at 0x\w+', '', '\n'.join(parts))

    if look(build(config, options)) == look(build(config, [])):
        # what shows in the first weights only
        changed, plain = (build(config, o, 'cpu').state_dict() for o in (options, []))
        assert any(not changed[name].equal(plain[name]) for name in plain)


def release_options() -> dict:
    """Options of docs/paper_and_release.md that the published code has, by part."""
    found = {'backbone': [], 'head': [], 'data_preprocessor': []}
    for _, code in table_options('docs/paper_and_release.md'):
        for option in code.split():
            found[option.split('.')[1]].append(option)
    return found


def test_published_values_mix():
    """docs/paper_and_release.md: any combination of its options builds, part by part here."""
    parts = [[*options] for options in release_options().values()]
    assert all(parts)
    for chosen in itertools.product((False, True), repeat=len(parts)):
        options = [option for part, take in zip(parts, chosen) if take for option in part]
        build('configs/cltdr_hapt.py', options)


def defaults_of(kind: type) -> dict:
    """Default values of a class's arguments, also of those that it hands to its bases."""
    found = {}
    for base in reversed(kind.__mro__):
        if '__init__' in vars(base):
            found.update({name: parameter.default for name, parameter
                          in inspect.signature(base.__init__).parameters.items()
                          if parameter.default is not inspect.Parameter.empty})
    return found


#: What a published setting says of sizes and thresholds; not a difference in what is computed.
SETTINGS = {'type', 'in_channels', 'num_classes', 'embed_dims', 'feat_channels', 'ffn_dims',
            'regression_ranges', 'assigner', 'normalizer', 'test_cfg', 'input_noise',
            'size_divisor'}


def test_published_values_are_those_of_the_config():
    """docs/paper_and_release.md and configs/release/_base_/cltdr_gmg.py say the same."""
    folder = ROOT / 'configs/release'
    model = Config.fromfile(folder / '_base_/cltdr_gmg.py').model
    # row 23, per data set: focal there, varifocal here
    varifocal = Config.fromfile(folder / 'cltdr_gmg/thumos_intervideo_vflloss.py').model.head
    for part, options in release_options().items():
        config, named = dict(model[part]), set()
        for option in options:
            key, value = option.split('=')
            _, _, name, *rest = key.split('.')
            named.add(name)
            there = (varifocal if name == 'loss_coarse' else config)[name]
            for step in rest:
                there = there[step]
            assert there == DictAction._parse_iterable(value), option
        # None stands for it
        defaults = {**defaults_of(MODELS.get(config['type'])), 'loss_reg': dict(type='DIoU1DLoss')}
        other = {name for name, value in config.items()
                 if name not in SETTINGS and defaults.get(name) != value}
        assert other == named & other, f'not on the page: {other - named}'
    # a loss is replaced as a whole: what is not said has the default of its class
    coarse = {option.split('=')[0].split('.')[3] for option in release_options()['head']
              if option.startswith('model.head.loss_coarse.')}
    assert coarse == {*varifocal.loss_coarse} - {'positives_by_target'}  # row 31


@pytest.mark.parametrize('part', ['GMG', 'SGP', 'ActionFormer', 'CLTDRHead'])
def test_changelog_says_what_a_variant_was(part):
    """The arguments it names build, and are those of the release configs."""
    text = (ROOT / 'docs/changelog.md').read_text('utf-8')
    code = re.search(rf'of `{part}` \| `([^`]*)` \|', text).group(1)
    arguments = {k.arg: k.value for k in ast.parse(f'f({code})', mode='eval').body.keywords}
    arguments = {name: eval(compile(ast.Expression(value), 'changelog', 'eval'))
                 for name, value in arguments.items()}
    release = dict(GMG='cltdr_gmg', SGP='tridet', CLTDRHead='cltdr_gmg').get(part, 'actionformer')
    model = Config.fromfile(ROOT / f'configs/release/_base_/{release}.py').model
    config = model.head if part == 'CLTDRHead' else model.backbone
    assert config.type == part
    different = {name for name, value in arguments.items() if config[name] != value}
    assert different <= {'iou_power'}  # a setting, whose default it was
    with torch.device('meta'):
        MODELS.build({**config, **arguments})


# code


def registered() -> dict:
    """All registered names, of this library and of its dependencies, with their modules."""
    for package in ('mmaction', 'mmengine'):
        for room in ('datasets' if package == 'mmaction' else 'dataset', 'evaluation', 'hooks',
                     'models' if package == 'mmaction' else 'model', 'optim', 'runner',
                     'visualization'):
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module(f'{package}.{room}')
    found = {}
    for value in vars(registry).values():
        if isinstance(value, Registry):
            for node in (value.parent, value):
                if node is not None:
                    found.update(node.module_dict)
    return found


@every_page
def test_python_blocks_are_right(page):
    """They are Python, and every ``type='...'`` in them is registered or made on the page."""
    text = page.read_text('utf-8')
    known = set(registered()) | set(re.findall(r'^class (\w+)', text, re.MULTILINE))
    for code in python_blocks(page):
        tree = ast.parse(code)
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == 'type':
                if isinstance(node.value, ast.Constant):
                    assert node.value.value in known, f'{node.value.value!r} is not registered'


def test_components_page_is_complete():
    text = (ROOT / 'docs' / 'components.md').read_text('utf-8')
    listed = re.findall(r'^\| (?:[A-Z_]+ \| )?`(\w+)` \|', text, re.MULTILINE)
    assert len(listed) == len(set(listed))
    ours = {name for name, value in registered().items()
            if getattr(value, '__module__', '').startswith('cltdr_mm.')
            and value.__module__ != 'cltdr_mm.utils.moved'}  # those are gone, and say so
    assert set(listed) == ours


def small_configs() -> list:
    """Whole config files on a page: blocks whose first line names a file under configs/."""
    found = []
    for page in PAGES:
        for code in python_blocks(page):
            match = re.match(r'# (configs/\w+\.py)\n', code)
            if match:
                found.append(pytest.param(match.group(1), code, id=match.group(1)))
    return found


@pytest.mark.parametrize('name, code', small_configs())
def test_config_files_on_pages_build(name, code, tmp_path):
    path = ROOT / name
    if path.is_file():  # an excerpt of a config that exists
        for line in code.splitlines()[1:]:
            assert line in path.read_text('utf-8').splitlines()
        return
    # where `./` of the page is the folder of configs
    file = tmp_path / path.name
    file.write_text(code.replace("'./", f"'{ROOT}/configs/"))
    model = Config.fromfile(file).model
    with torch.device('meta'):
        MODELS.build(model)
