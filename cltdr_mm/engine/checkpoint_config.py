"""Reads the config that MMEngine stores in a checkpoint, as data.

MMEngine keeps it as the text of a Python file and would execute that text. A checkpoint from
anywhere could then run any code, although its tensors are loaded safely.
"""
import ast
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS as ROOT

from ..utils import one_line
from ..utils.json_files import shown


def checkpoint_config(checkpoint: dict, name: str = 'checkpoint',
                      advice: str = 'give the config file as well') -> Config:
    """Config of the training that wrote a checkpoint.

    Only assignments of literals, ``dict(...)`` among them, are read, which is all that MMEngine
    writes. ``custom_imports`` are not followed: what the config needs must be imported already.

    Args:
        checkpoint (dict): As loaded.
        name (str): What messages call it. Defaults to 'checkpoint'.
        advice (str): What to do where there is none to be used; a program says with which option.

    Returns:
        Config: The config.

    Raises:
        ValueError: If there is none, if it holds anything but literals, if a ``type`` in it is
            not a plain name of a registry (a dotted one can be any function of any module), or if
            MMEngine cannot take it.
    """
    places = ('message_hub', 'runtime_info', 'cfg'), ('meta', 'cfg')
    texts = [_inner(checkpoint, *keys) for keys in places]
    text = next((text for text in texts if isinstance(text, str) and text), None)
    if text is None:
        raise ValueError(f'{name}: holds no config, {advice}')
    try:
        cfg = dict(_assignments(text))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f'{name}: its config is not made of literals ({one_line(str(error))}) and '
                         f'is not executed, {advice}') from None
    scopes = {'mmengine', *ROOT.children}
    for kind in _types(cfg):
        scope, _, rest = kind.rpartition('.')
        if not rest.isidentifier() or (scope and scope not in scopes):
            raise ValueError(f'{name}: its config names type={shown(kind)}, which is no plain name '
                             f'of a registry; if you trust it, {advice}')
    try:
        return Config(cfg)
    except KeyError as error:  # a name that MMEngine keeps for itself
        raise ValueError(f'{name}: its config cannot be used ({error.args[0]}), {advice}') from None


def _inner(value: Any, *keys: str) -> Any:
    """What nested mappings hold under keys one below the other; None if something is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


class _DictCalls(ast.NodeTransformer):
    """Writes ``dict(a=1)`` as ``{'a': 1}``."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Name) and node.func.id == 'dict') or node.args \
                or any(keyword.arg is None for keyword in node.keywords):
            return node
        return ast.copy_location(
            ast.Dict([ast.copy_location(ast.Constant(k.arg), node) for k in node.keywords],
                     [k.value for k in node.keywords]), node)


def _assignments(text: str) -> Iterator[tuple[str, Any]]:
    for statement in _DictCalls().visit(ast.parse(text)).body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 \
                or not isinstance(statement.targets[0], ast.Name):
            raise ValueError(f'line {statement.lineno} is no assignment to a name')
        yield statement.targets[0].id, ast.literal_eval(statement.value)


def _types(value: Any) -> Iterator[str]:
    """Everything in nested containers that a registry will look up."""
    if isinstance(value, dict):
        if 'type' in value:
            yield str(value['type'])
        if isinstance(value.get('collate_fn'), str):  # a loader may name it without a dict
            yield value['collate_fn']
        value = value.values()
    elif not isinstance(value, (list, tuple, set)):
        return
    for item in value:
        yield from _types(item)
