"""Turns published checkpoints into ours, for ``cltdr convert checkpoint``: keys get other names.

Our keys stay close to theirs by design.
"""
import re
from collections.abc import Mapping
from typing import Optional

import torch
from torch import Tensor

from ..utils import atomic_path, one_line
from ..utils.json_files import shown
from .checkpoint_fit import misfits, state_dict_problem
from .checkpoint_io import load_from_local

#: What differs between published and our names, per family: (pattern, replacement), the first
#: match wins. What no pattern matches is an error: a key that silently went nowhere would cost
#: accuracy without a sign of it.
_TOWER = [
    (r'^{their}\.head\.(\d+)\.', r'head.{our}.convs.\1.'),
    (r'^{their}\.norm\.(\d+)\.', r'head.{our}.norms.\1.'),
]
_PYRAMID = [
    (r'^backbone\.(embd|embd_norm|stem|branch)\.', r'backbone.\1.'),
    (r'^neck\.(fpn_norms|fpn_convs|lateral_convs)\.', r'neck.\1.'),
]
_SCALES = [(r'^reg_head\.scale\.(\d+)\.', r'head.scales.\1.')]


def _tower(their: str, our: str, out: str) -> list[tuple[str, str]]:
    rules = [(a.format(their=their), b.format(our=our)) for a, b in _TOWER]
    return [(rf'^{their}\.{out}\.', f'head.{our}.out.')] + rules


_POINT = _PYRAMID + _SCALES + _tower('cls_head', 'cls_tower', 'cls_head')
_PLAIN = _POINT + _tower('reg_head', 'reg_tower', 'offset_head')
_TRIDENT = (_POINT + _tower('reg_head', 'center_tower', 'offset_head')
            + _tower('start_head', 'start_tower', 'cls_head')
            + _tower('end_head', 'end_tower', 'cls_head'))
_CLTDR = [
    (r'^backbone\.(stem|branch)\.(\d+)\.([wb][12])$', r'backbone.\1.\2.global_mixer.\3'),
    (r'^decls\.contrans\.', 'head.dcm.resample.higher.'),
    (r'^decls\.conv_l\.', 'head.dcm.own.higher.'),
    (r'^decls\.attn\.1\.', 'head.dcm.gate.higher.'),
    (r'^dereg\.down\.', 'head.drm.resample.lower.'),
    (r'^dereg\.conv_l\.', 'head.drm.own.lower.'),
    (r'^dereg\.attn\.1\.', 'head.drm.gate.lower.'),
    (r'^cross_level\.convtrans\.', 'head.clff.resample.higher.'),
    (r'^cross_level\.conv\.', 'head.clff.resample.lower.'),
    (r'^refineHead\.head\.(\d+)\.', r'head.refine_head.trunk.convs.\1.'),
    (r'^refineHead\.norm\.(\d+)\.', r'head.refine_head.trunk.norms.\1.'),
    (r'^refineHead\.s_offset_head\.', 'head.refine_head.start_out.'),
    (r'^refineHead\.e_offset_head\.', 'head.refine_head.end_out.'),
    (r'^refineHead\.prob_head\.', 'head.refine_head.cls_out.'),
] + _TRIDENT

#: OpenTAD's detectors, of the encoders that have no other code or another one.
_OPENTAD = [
    (r'^projection\.embed\.(\d+)\.conv\.', r'backbone.embd.\1.conv.'),
    (r'^projection\.embed\.(\d+)\.norm\.', r'backbone.embd_norm.\1.'),
    (r'^projection\.(stem|branch)\.', r'backbone.\1.'),
    (r'^neck\.fpn_norms\.', 'neck.fpn_norms.'),
    (r'^rpn_head\.(cls|reg)_convs\.(\d+)\.conv\.', r'head.\1_tower.convs.\2.conv.'),
    (r'^rpn_head\.(cls|reg)_convs\.(\d+)\.norm\.', r'head.\1_tower.norms.\2.'),
    (r'^rpn_head\.(cls|reg)_head\.', r'head.\1_tower.out.conv.'),
    (r'^rpn_head\.scale\.(\d+)\.', r'head.scales.\1.'),
]
#: Norms that lie in the family's checkpoints as (D,), and are ours as (1, D, 1).
_FLAT_NORM = re.compile(r'(^|[._])norms?(\.\d+)?\.(weight|bias)$')

FAMILIES = {
    'actionmamba': _PLAIN,
    'actionmamba-opentad': _OPENTAD,
    'causaltad': _OPENTAD,
    'cltdr-gmg': _CLTDR,
    'tridet': _TRIDENT,
    'actionformer': _PLAIN,
    'temporalmaxer': _PLAIN,
}

#: Published entries without a counterpart, and why that loses nothing: the points and position
#: tables are computed, the refine head's scales are never used by the published code.
_UNUSED = [
    r'^point_generator\.', r'^backbone\.pos_embd$', r'^refineHead\.scale\.\d+\.',
    r'^projection\.pos_embed?$', r'^rpn_head\.prior_generator\.'
]

#: The running number of positives: ours to save, no part of published checkpoints.
_NORMALIZER = 'head.normalizer.value'


def unwrap(checkpoint: Mapping, ema: bool = True) -> dict[str, Tensor]:
    """The state dict within a published checkpoint.

    Args:
        checkpoint (Mapping): A plain state dict, or a mapping that holds ``state_dict`` and
            perhaps ``state_dict_ema``.
        ema (bool): Prefer the averaged weights, which the published results come from.
            Defaults to True.

    Returns:
        dict[str, Tensor]: Without the ``module.`` prefix of parallel training.

    Raises:
        ValueError: If there is no state dict in it.
    """
    state = checkpoint
    for name in ('state_dict_ema', 'state_dict') if ema else ('state_dict', ):
        if isinstance(checkpoint.get(name), Mapping):
            state = checkpoint[name]
            break
    why = state_dict_problem(state)
    if why is not None:
        raise ValueError('the checkpoint holds no state dict: neither tensors by name nor a '
                         f"'state_dict' or 'state_dict_ema' of such ({why}); it has "
                         f'{shown(sorted(map(str, checkpoint)))}')
    return {re.sub(r'^(module\.)+', '', key): value for key, value in state.items()}


def convert_state_dict(state: Mapping[str, Tensor], family: str) -> dict[str, Tensor]:
    """Rename published parameters.

    Args:
        state (Mapping[str, Tensor]): Published state dict, without prefixes.
        family (str): 'cltdr-gmg', 'tridet', 'actionformer', 'temporalmaxer', 'actionmamba'; of
            OpenTAD 'actionmamba-opentad' and 'causaltad'.

    Returns:
        dict[str, Tensor]: State dict of a :class:`SingleStageLocalizer`, as configs/release has it.

    Raises:
        ValueError: On an unknown family, or keys that no rule of the family knows.
    """
    if family not in FAMILIES:
        raise ValueError(f'family must be one of {sorted(FAMILIES)}, got {family!r}')
    converted, unknown = {}, []
    for key, value in state.items():
        if any(re.search(pattern, key) for pattern in _UNUSED):
            continue
        for pattern, replacement in FAMILIES[family]:
            name, found = re.subn(pattern, replacement, key)
            if found:
                flat = value.ndim == 1 and _FLAT_NORM.search(name)
                converted[name] = value[None, :, None] if flat else value
                break
        else:
            unknown.append(key)
    if unknown:
        raise ValueError(one_line(
            f'{len(unknown)} keys are unknown in checkpoints of {family}: '
            f'{", ".join(unknown[:8])}{" ..." if len(unknown) > 8 else ""}'))
    return converted


def check_against(converted: Mapping[str, Tensor], model: torch.nn.Module) -> None:
    """Compare converted weights with the model they are for.

    Args:
        converted (Mapping[str, Tensor]): What :func:`convert_state_dict` returned.
        model (nn.Module): The model of the matching config.

    Raises:
        ValueError: Naming keys that are missing, left over or of another shape.
    """
    expected = {k: v for k, v in model.state_dict().items() if k != _NORMALIZER}
    found = misfits(converted, expected)
    if found:
        raise ValueError(f'the checkpoint does not fit the config: {found}')


def convert_checkpoint(source: str, target: str, family: str,
                       model: Optional[torch.nn.Module] = None, ema: bool = True) -> dict:
    """Convert a published checkpoint file.

    Only tensors and plain containers are read from the source, never pickled code.

    Args:
        source (str): Published checkpoint.
        target (str): Where to write ours.
        family (str): See :func:`convert_state_dict`.
        model (nn.Module, optional): Model of the matching config to check keys and shapes with;
            what published checkpoints lack is taken from it, so that the result loads strictly.
            Defaults to None: names are checked, shapes are not.
        ema (bool): See :func:`unwrap`. Defaults to True.

    Returns:
        dict: The checkpoint as written: ``state_dict`` and ``meta``.

    Raises:
        FileNotFoundError: If there is no ``source``.
        ValueError: Naming ``source``, if it cannot be read safely or does not fit.
    """
    checkpoint = load_from_local(source, map_location='cpu')
    try:
        if not isinstance(checkpoint, Mapping):
            raise ValueError(f'it holds a {type(checkpoint).__name__}, not a state dict')
        converted = convert_state_dict(unwrap(checkpoint, ema), family)
        if model is not None:
            check_against(converted, model)
            converted[_NORMALIZER] = model.state_dict()[_NORMALIZER]
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    result = dict(state_dict=converted, meta=dict(converted_from=family))
    with atomic_path(target) as temporary:
        torch.save(result, temporary)
    return result
