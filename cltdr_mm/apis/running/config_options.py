"""Changes of a config on the command line, and keys that nothing reads."""
import argparse
import difflib
import inspect
from collections.abc import Mapping
from typing import Any, Optional

from mmengine.config import Config, DictAction
from mmengine.runner import Runner

from ...utils import one_line
from ...utils.explained import suggestion
from ...utils.json_files import shown

#: Top-level keys that MMEngine reads beside the arguments of its Runner.
_MORE_KEYS = {'custom_imports', 'runner_type', 'model_wrapper_cfg', 'find_unused_parameters',
              'compile', 'activation_checkpointing', 'efficient_conv_bn_eval'}
RUNNER_KEYS = (set(inspect.signature(Runner.__init__).parameters) | _MORE_KEYS) - {'self', 'cfg'}


class ConfigOption(DictAction):
    """``--cfg-options``, which ends with a message where MMEngine's ends in a traceback."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values,
                 option_string=None) -> None:
        """Add changes to the namespace."""
        values = [value.strip() for value in values]
        for value in values:
            key, equals, _ = value.partition('=')
            if not (equals and key):
                parser.error(f'{option_string}: {shown(value)} is no change of a config: write '
                             'key=value without blanks, or in quotes "key=[a, b]"')
        try:
            super().__call__(parser, namespace, values, option_string)
        except (AssertionError, ValueError) as error:
            parser.error(f'{option_string}: {one_line(str(error))}')
        except RecursionError:  # MMEngine looks for a closing bracket again and again
            parser.error(f'{option_string}: brackets do not fit in {one_line(" ".join(values))}')


def change_config(cfg: Config, options: Mapping[str, Any]) -> None:
    """Change a config, unless a change would go nowhere, or put text or NaN where a number is.

    Args:
        cfg (Config): The config.
        options (Mapping[str, Any]): Values by dotted key.

    Raises:
        ValueError: Naming the key.
    """
    def bad(key: str, why: str) -> ValueError:
        return ValueError(one_line(f'--cfg-options {key}: {why}'))

    for key, value in options.items():
        first = key.split('.')[0]
        if first not in cfg and first not in RUNNER_KEYS:
            raise bad(key, f'the config has no key `{first}`'
                           + suggestion(first, RUNNER_KEYS | set(cfg)))
        if first in cfg and first not in RUNNER_KEYS:
            copy = _copy_of(cfg[first], {name: cfg[name] for name in cfg if name in RUNNER_KEYS})
            if copy is not None:
                raise bad(key, f'`{first}` is a variable of the config file, and what was made of '
                               f'it there would stay as it is: change that, such as {copy}')
        old, above = _lookup(cfg, key), _lookup(cfg, key.rpartition('.')[0])
        if isinstance(old, (int, float)) and (isinstance(value, str) or value != value):
            kind = 'neither True nor False' if isinstance(old, bool) else 'no number'
            raise bad(key, f'was {old}, and {shown(value)} is {kind}')
        if isinstance(above, (list, tuple)):
            raise bad(key, 'one element of a list cannot be changed, only the whole list '
                           f'{shown(above)}')
        inner = next((other for other in options if other.startswith(f'{key}.')), None)
        if inner is not None:
            raise bad(inner, f'is a part of {key}, which is changed as well')
    try:
        cfg.merge_from_dict(dict(options))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise bad(' '.join(options), str(error.args[0] if error.args else error)) from error


def check_keys(cfg: Config, name: str) -> None:
    """Refuse top-level keys that are a slip away from one that MMEngine reads.

    Args:
        cfg (Config): The config. Other names of its own, say of paths, are allowed.
        name (str): Its file.

    Raises:
        ValueError: Naming the key and what was meant.
    """
    for key in cfg:
        if key not in RUNNER_KEYS:
            near = difflib.get_close_matches(key, RUNNER_KEYS, 1, 0.88)
            if near:
                raise ValueError(f'{name}: `{key}` is read by nothing: did you mean `{near[0]}`?')


def _copy_of(value: Any, within: Any) -> Optional[str]:
    """Dotted key of a place that has a variable's value, a text perhaps as a part; or None."""
    if not isinstance(value, (str, list, tuple, Mapping)) or not value:
        return None  # a number may be there by chance
    if within == value or (isinstance(value, str) and isinstance(within, str)
                           and within.startswith(value)):
        return ''
    inner = within.items() if isinstance(within, Mapping) else enumerate(within) if isinstance(
        within, (list, tuple)) else ()
    for key, part in inner:
        found = _copy_of(value, part)
        if found is not None:
            return f'{key}.{found}'.rstrip('.')
    return None


def _lookup(cfg: Config, key: str) -> Any:
    """Value at a dotted key, None where there is none yet; raises ValueError where none can be."""
    value: Any = cfg
    above: list[str] = []
    for part in key.split('.'):
        bad = f'--cfg-options {key}: {".".join(above)}'
        if isinstance(value, (list, tuple)):
            if not part.isdecimal() or int(part) >= len(value):
                raise ValueError(f'{bad} is a list of {len(value)}, which has no {part}: they are '
                                 f'counted from 0')
            value = value[int(part)]
        elif isinstance(value, (dict, Config)):
            if part not in value:
                return None
            value = value[part]
        elif value is not None:
            raise ValueError(f'{bad} is {value!r}, in which there is no {part}')
        above.append(part)
    return value
