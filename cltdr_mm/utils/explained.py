"""Says in the words of a config what MMEngine's errors mean when its parts are built."""
import difflib
import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Optional, Union

import mmaction.registry
from mmengine.config import Config
from mmengine.registry import Registry


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


def explain(error: BaseException, cfg: Union[Mapping, Config]) -> Optional[str]:
    """Words for an error that came up while the parts of a config were built.

    Args:
        error (BaseException): The error.
        cfg (Mapping or Config): The config; an empty one if it is not known.

    Returns:
        Optional[str]: One line, with the place in the config where it can be found; None if the
        error is not about a name in a config.
    """
    text = str(error.args[0]) if error.args else ''
    if isinstance(error, KeyError):
        found = re.match(r"(\S+) is not in the (\S+) registry", text)
        if found:
            wrong = found.group(1)
            registry = found.group(2).split('::')[-1]
            return (f'{_place(cfg, "type", wrong)}`{wrong}` is not registered (as {registry})'
                    + suggestion(wrong, _names(registry)))
    if isinstance(error, TypeError):
        found = re.search(r"(?:unexpected keyword argument|has no argument) '?(\w+)", text)
        if found:
            return _unexpected(cfg, found.group(1), text)
    return None


def _unexpected(cfg: Union[Mapping, Config], wrong: str, text: str) -> str:
    """An argument that a constructor does not take, perhaps one of the class it derives from."""
    for path, part in _parts(cfg):
        if wrong in part and part.get('type') is not None:
            cls = _registered(str(part['type']))
            known = set() if cls is None else _arguments(cls)
            if wrong not in known:
                return (f'{path}.{wrong}: {part["type"]} has no such argument'
                        + suggestion(wrong, known))
    return text.splitlines()[0]


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


def _names(registry: str) -> set[str]:
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


def _place(cfg: Union[Mapping, Config], key: str, value: Any) -> str:
    for path, part in _parts(cfg):
        if part.get(key) == value:
            return f'{path}.{key}: '
    return ''
