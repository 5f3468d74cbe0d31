"""Says in the words of a config what MMEngine's errors mean when its parts are built."""
import difflib
import inspect
import re
import traceback
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Optional, Union

import mmaction.registry
from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.runner import Runner
from torch.utils.data import DataLoader

#: What is called with a part of a config that has no type, by the name that Python's errors use.
_UNTYPED = {'DataLoader': DataLoader, 'Runner.set_randomness': Runner.set_randomness}
#: MMEngine's methods that take a part of a config as their first argument.
_BUILDERS = re.compile(r'_?(build|register|setup)')


def suggestion(wrong: str, names: Collection[str]) -> str:
    """What was probably meant.

    Args:
        wrong (str): A name that does not exist.
        names (Collection[str]): Names that do.

    Returns:
        str: To append to a message; '' if none is near.
    """
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wrong.lower(), by_lower, 1, 0.6)
    return f': did you mean `{by_lower[near[0]]}`?' if near else ''


def place(error: BaseException, cfg: Union[Mapping, Config]) -> str:
    """Which part of a config was being built when an error came up.

    Args:
        error (BaseException): As it was caught.
        cfg (Mapping or Config): The config.

    Returns:
        str: Its dotted key, such as ``'train_dataloader.dataset'``; '' if that is not known.
    """
    path = ''
    for frame, _ in traceback.walk_tb(error.__traceback__):
        code, module = frame.f_code, frame.f_globals.get('__name__', '')
        if module.split('.')[0] == 'mmengine' and _BUILDERS.match(code.co_name):
            names = [name for name in code.co_varnames[:code.co_argcount]
                     if name not in ('self', 'cls')]
            if names:
                path = _find(frame.f_locals.get(names[0]), cfg, path) or path
    return path


def explain(error: BaseException, cfg: Union[Mapping, Config]) -> Optional[str]:
    """Words for an error that came up while the parts of a config were built.

    Args:
        error (BaseException): The error.
        cfg (Mapping or Config): The config; an empty one if it is not known.

    Returns:
        Optional[str]: One line, with the place in the config where it can be found; None if the
        error is not about a name in a config.
    """
    text, where = str(error.args[0]) if error.args else '', place(error, cfg)
    if isinstance(error, KeyError):
        return _absent(cfg, text, where)
    found = re.search(r"(?:unexpected keyword argument|has no argument) '?(\w+)", text)
    if isinstance(error, TypeError) and found:
        return _unexpected(cfg, found.group(1), text, where)
    if text.startswith('each item mush be an optimizer'):
        return f'{where}: `optimizer` is missing'
    found = re.match(r'(.*) should be either all None or not None', text)
    if found:
        names = re.findall(r'\w+_\w+', found.group(1))
        absent = ', '.join(name for name in names if cfg.get(name) is None)
        return (f'{absent} of {", ".join(names)} is None or missing: they are given together or '
                'not at all')
    if where and isinstance(error, (AssertionError, AttributeError, TypeError)):
        # MMEngine asks for functions without a look at whether there are any of that name
        for path, part in _parts(cfg):
            kind = part.get('type')
            if path.startswith(where) and isinstance(kind, str) and _registered(kind) is None:
                return _unregistered(cfg, kind)
    return None


def _absent(cfg: Union[Mapping, Config], key: str, where: str) -> Optional[str]:
    """What a KeyError means: a type that no registry has, a key or a name that is missing."""
    found = re.match(r'(\S+) is not in the (.+?) registry', key)
    if found:
        return _unregistered(cfg, found.group(1), found.group(2).split('::')[-1])
    if key == 'model' and 'model' not in cfg:
        return 'the config has no `model`'
    if where and 'must contain the key "type"' in key:
        return f'{where}: `type` is missing'
    if where and ' ' not in key:
        return f'{where}: `{key}` is missing'
    return f'{_place(cfg, key)}{key!r} is not known' if _place(cfg, key) else None


def _find(value: Any, cfg: Union[Mapping, Config], above: str) -> str:
    """Dotted key of a value, perhaps with more in it by now, as its parents add shapes."""
    if isinstance(value, Mapping):
        fits = {path: (path.startswith(above), len(part)) for path, part in _parts(cfg)
                if part and all(k in value and value[k] == v for k, v in part.items())}
        return max(fits, key=fits.get, default='')
    places = [f'{path}.{key}'.strip('.') for path, part in (('', cfg), *_parts(cfg))
              for key, item in part.items() if type(item) is type(value) and item == value]
    below = [path for path in places if path.startswith(above)]
    whole = [path for path in places if '.' not in path and isinstance(value, list)]
    return (below if len(below) == 1 else whole or [''])[0]


def _unregistered(cfg: Union[Mapping, Config], wrong: str, registry: Optional[str] = None) -> str:
    known, kind = _names(registry), f' (as {registry.replace(" ", "_")})' if registry else ''
    if wrong in known:
        return (f'{_place(cfg, wrong)}`{wrong}` is not found from default_scope='
                f'{cfg.get("default_scope")!r}')
    return f'{_place(cfg, wrong)}`{wrong}` is not registered{kind}' + suggestion(wrong, known)


def _unexpected(cfg: Union[Mapping, Config], wrong: str, text: str, where: str) -> str:
    """An argument that a constructor does not take, perhaps one of the class it derives from."""
    parts = sorted(_parts(cfg), key=lambda item: not (where and item[0].startswith(where)))
    for path, part in parts:
        if wrong in part and part.get('type') is not None:
            cls = _registered(str(part['type']))
            known = set() if cls is None else _arguments(cls)
            if wrong not in known:
                return (f'{path}.{wrong}: {part["type"]} has no such argument'
                        + (suggestion(wrong, known) or _inside(cfg, path, wrong)))
    name = re.sub(r'(\.__init__)?\(\).*| has no argument .*', '', text.splitlines()[0])
    called = _UNTYPED.get(name) or _registered(name)
    for path, part in parts:
        if called is not None and wrong in part and part.get('type') is None:
            return (f'{path}.{wrong}: {name} has no such argument'
                    + suggestion(wrong, _arguments(called))
                    + ('' if name in _UNTYPED else f' ({path} has no `type`)'))
    return text.splitlines()[0]


def _inside(cfg: Union[Mapping, Config], path: str, wrong: str) -> str:
    """The part within another that takes an argument, such as the head inside ASL's."""
    for below, part in _parts(cfg):
        cls = _registered(str(part.get('type'))) if below.startswith(f'{path}.') else None
        if cls is not None and wrong in _arguments(cls):
            return f', {part["type"]} inside it has: write {below}.{wrong}'
    return ''


def _arguments(cls: Any) -> set[str]:
    """Names of the arguments of a constructor; what it hands to its bases included."""
    names: set[str] = set()
    for base in inspect.getmro(cls) if inspect.isclass(cls) else [cls]:
        try:
            parameters = inspect.signature(base).parameters.values()
        except (TypeError, ValueError):
            continue
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD,
                                                          p.KEYWORD_ONLY)}
        if not any(p.kind == p.VAR_KEYWORD for p in parameters):
            break
    return names


def _registries(name: Optional[str] = None) -> Iterator[Registry]:
    for registry in vars(mmaction.registry).values():
        if isinstance(registry, Registry) and name in (None, registry.name):
            yield registry
            if registry.parent is not None:
                yield registry.parent


def _names(registry: Optional[str]) -> set[str]:
    return {name for found in _registries(registry) for name in found.module_dict}


def _registered(name: str) -> Any:
    name = name.rpartition('.')[2]
    for registry in _registries():
        if name in registry.module_dict:
            return registry.module_dict[name]
    return None


def _parts(value: Any, path: str = '') -> Iterator[tuple[str, Mapping]]:
    """All dicts in a config, with their dotted keys."""
    if isinstance(value, (Mapping, Config)):
        if path:
            yield path, value
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        return
    for key, item in items:
        yield from _parts(item, f'{path}.{key}' if path else str(key))


def _place(cfg: Union[Mapping, Config], value: str) -> str:
    """Where a config has a text as a value."""
    for path, part in (('', cfg), *_parts(cfg)):
        for key, item in part.items():
            if isinstance(item, str) and item == value:
                return f'{path}.{key}: ' if path else f'{key}: '
    return ''
