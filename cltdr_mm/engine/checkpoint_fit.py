"""Says before anything is computed whether a checkpoint belongs to a model and its classes.

MMEngine loads what fits and leaves the rest as it was initialised: the figures of a wrong
checkpoint would be those of random weights.
"""
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

import torch
from mmengine.logging import print_log
from torch import Tensor

from ..utils import Problem, TALDataError
from ..utils.feature_settings import differing
from ..utils.json_files import number_problem, shown
from .older_defaults import check_defaults, older_advice

SHOWN = 4  # keys of one kind that a message names
CONVERTER = 'tools/model_converters/convert_checkpoint.py'


def state_dict_in(checkpoint: Any, name: str) -> Mapping[str, Tensor]:
    """The weights in a checkpoint.

    Args:
        checkpoint: What was loaded, of any type.
        name (str): Its file.

    Returns:
        Mapping[str, Tensor]: Its ``state_dict``.

    Raises:
        TALDataError: If it is no checkpoint of MMEngine's layout.
    """
    def bad(message: str) -> TALDataError:
        return TALDataError.of('checkpoint', name, 'state_dict', message)

    if not isinstance(checkpoint, Mapping):
        raise bad(f'is missing: the file holds a {type(checkpoint).__name__}')
    if 'state_dict' not in checkpoint:
        if not checkpoint:
            raise bad('is missing: the file holds an empty dict')
        if all(isinstance(value, Tensor) for value in checkpoint.values()):
            raise bad('is missing: the file holds bare weights; save dict(state_dict=weights), or '
                      f'convert it with {CONVERTER} if it was published')
        raise bad(f'is missing; the file has {sorted(map(str, checkpoint))[:8]}')
    state = checkpoint['state_dict']
    why = state_dict_problem(state)
    if why is not None:
        raise bad(why)
    if any(key.startswith('module.') for key in state):
        raise bad("its keys begin with 'module.': " + (
            f'published, it seems: convert it with {CONVERTER}'
            if 'state_dict_ema' in checkpoint else
            f'save model.module.state_dict(), or convert it with {CONVERTER} if it was published'))
    return state


def state_dict_problem(state: Any) -> Optional[str]:
    """Say why a value is no state dict; None when it is one."""
    if not isinstance(state, Mapping) or not all(
            isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()):
        return 'must be tensors by name'
    for key, value in state.items():
        if value.layout != torch.strided or value.is_meta or value.is_quantized:
            return f'{shown(key)} is no plain tensor, which has a value in every place'
    return None if state else 'is empty'


def misfits(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """Compare weights with those of a model.

    Args:
        state (Mapping[str, Tensor]): Of a checkpoint.
        expected (Mapping[str, Tensor]): Of a model.

    Returns:
        str: Keys that are missing, left over, of another shape and of another type, the first of
        each; '' if they fit. A module that one side lacks as a whole is one name. Floating point of
        any precision is one type.
    """
    other_type = [f'{key} is {value.dtype}, not {expected[key].dtype}'
                  for key, value in state.items() if key in expected and (
                      value.is_floating_point() != expected[key].is_floating_point()
                      or value.is_complex() != expected[key].is_complex())]
    other_shape = [f'{key} is {tuple(value.shape)}, not {tuple(expected[key].shape)}'
                   for key, value in state.items()
                   if key in expected and value.shape != expected[key].shape]
    kinds = {'missing': _lacking(expected, state), 'left over': _lacking(state, expected),
             'of another shape': other_shape, 'of another type': other_type}
    parts = []
    for kind, keys in kinds.items():
        if keys:
            more = f' and {len(keys) - SHOWN} more' if len(keys) > SHOWN else ''
            parts.append(f'{kind}: {", ".join(keys[:SHOWN])}{more}')
    return '; '.join(parts)


def _lacking(keys: Iterable[str], others: Iterable[str]) -> list[str]:
    """Keys that others lack; those of a module that they lack as a whole are one entry."""
    others = set(others)
    known = {prefix for key in others for prefix in _modules(key)}
    found: dict[str, list[str]] = {}
    for key in keys:
        if key not in others:
            whole = next((prefix for prefix in _modules(key) if prefix not in known), key)
            found.setdefault(whole, []).append(key)
    return [own[0] if len(own) == 1 else f'{whole} ({len(own)} weights)'
            for whole, own in found.items()]


def _modules(key: str) -> list[str]:
    """Modules that a weight lies in, the outermost first."""
    parts = key.split('.')
    return ['.'.join(parts[:end]) for end in range(1, len(parts))]


def kept_keys(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> set[str]:
    """Keys of a model that a training takes from a checkpoint that it starts from.

    Args:
        state (Mapping[str, Tensor]): Of the checkpoint.
        expected (Mapping[str, Tensor]): Of the model.

    Returns:
        set[str]: Those of the same name and shape; all others start anew.
    """
    return {key for key, value in state.items()
            if key in expected and value.shape == expected[key].shape}


def check_fit(checkpoint: Any, model: torch.nn.Module, name: str) -> None:
    """Refuse a checkpoint whose weights are not exactly those of a model, or are no numbers.

    Args:
        checkpoint: What was loaded, of any type.
        model (nn.Module): Not wrapped for parallel training.
        name (str): File of the checkpoint.

    Raises:
        TALDataError: Naming the file, and the keys that are missing, left over or misshapen, or
            hold NaN or infinity where the model does not; or the setting under which an older
            version trained it, where it is another one.
    """
    state, expected = state_dict_in(checkpoint, name), model.state_dict()
    found = misfits(state, expected)
    if found:
        advice = ''
        if 'state_dict_ema' in checkpoint:
            advice = f'; published, it seems: convert it with {CONVERTER}'
        raise TALDataError([Problem(name, None, 'state_dict', 'does not fit the model of the '
                                    f'config: {found}{advice}')], 'checkpoint',
                           older_advice(checkpoint))
    check_defaults(checkpoint, model, name)
    # a constant of a model may be infinite, what it learned may not
    broken = [key for key, value in state.items()
              if not value.isfinite().all() and expected[key].isfinite().all()]
    if broken:
        raise TALDataError.of('checkpoint', name, 'state_dict', 'holds NaN or infinity in '
                              f'{", ".join(broken[:SHOWN])}')


def check_overlap(checkpoint: Any, model: torch.nn.Module, name: str) -> None:
    """Refuse a checkpoint that has nothing for a model; for trainings that start from one.

    Args:
        checkpoint: What was loaded, of any type.
        model (nn.Module): Not wrapped for parallel training.
        name (str): File of the checkpoint.

    Raises:
        TALDataError: If no key of the checkpoint has the name and shape of one of the model.
    """
    state, expected = state_dict_in(checkpoint, name), model.state_dict()
    if not kept_keys(state, expected):
        raise TALDataError.of('checkpoint', name, 'state_dict', 'has nothing for the model of the '
                              f'config: {misfits(state, expected)}')


def checkpoint_classes(checkpoint: Mapping) -> Optional[list[str]]:
    """Class names that a checkpoint brings, in the order of its labels; None without any."""
    meta = checkpoint.get('meta')
    data = meta.get('dataset_meta') if isinstance(meta, Mapping) else None
    # early versions of MMEngine wrote upper-case keys
    for key in ('classes', 'CLASSES') if isinstance(data, Mapping) else ():
        classes = data.get(key)
        if isinstance(classes, (list, tuple)) and classes and all(
                isinstance(name, str) for name in classes):
            return list(classes)
    return None


def checkpoint_features(checkpoint: Mapping) -> Optional[dict]:
    """Settings of the features that a checkpoint was trained on; None if it does not say."""
    meta = checkpoint.get('meta')
    data = meta.get('dataset_meta') if isinstance(meta, Mapping) else None
    found = data.get('features') if isinstance(data, Mapping) else None
    try:  # plain values, as they came from JSON
        plain = isinstance(found, dict) and json.loads(json.dumps(found, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return None
    if not plain or any(plain.get(key) is not None and number_problem(plain[key])
                        for key in ('stride', 'window', 'fps')):
        return None
    return plain


def check_features(trained: Optional[Mapping], used: Optional[Mapping], name: str) -> None:
    """Refuse features that were made otherwise than those that a checkpoint was trained on.

    Args:
        trained (Mapping, optional): Settings of the features of the training; None if they had no
            manifest.
        used (Mapping, optional): Those of the data set that it shall work on.
        name (str): File of the checkpoint.

    Raises:
        TALDataError: If they differ; names what does.
    """
    found = differing(trained or {}, used or {})
    if found:
        raise TALDataError.of('checkpoint', name, 'features', 'was trained on features that were '
                              f'made otherwise than those of the data set ({"; ".join(found)})')


def check_classes(checkpoint: Mapping, classes: Optional[Sequence[str]], name: str) -> None:
    """Refuse a checkpoint whose labels mean other classes than those of a data set.

    Args:
        checkpoint (Mapping): As loaded. One that names no classes gets a remark in the log.
        classes (Sequence[str], optional): Of the data set; None if it names none.
        name (str): File of the checkpoint.

    Raises:
        TALDataError: If the classes differ, or stand in another order.
    """
    if not classes:
        return
    trained, classes = checkpoint_classes(checkpoint), list(classes)
    if trained is None:
        print_log(f'{name} does not say what its classes are called: whether they are those of '
                  'the data set, in this order, cannot be checked', logger='current')
    elif trained != classes:
        if sorted(trained) == sorted(classes):
            first = next(i for i, (a, b) in enumerate(zip(trained, classes)) if a != b)
            what = (f'stand in another order than in the data set: class {first} is '
                    f'{trained[first]!r} in the checkpoint, {classes[first]!r} in the data set')
        else:
            unknown = [c for c in trained if c not in classes], [
                c for c in classes if c not in trained]
            what = (f'are others than those of the data set: {len(trained)} against '
                    f'{len(classes)}, only in the checkpoint {unknown[0][:SHOWN]}, only in the '
                    f'data set {unknown[1][:SHOWN]}')
        raise TALDataError.of('checkpoint', name, 'classes', f"{what}; the checkpoint's go with "
                              'metainfo=dict(classes=[...]) of the data set')
