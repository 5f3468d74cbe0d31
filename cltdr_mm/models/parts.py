"""What backbones and necks have in common: tables of rows inside, MMAction2's tensors outside."""
from collections.abc import Collection, Sequence
from typing import Optional, Union

from mmengine.model import BaseModule
from torch import Tensor

from ..structures import PackedRows, pack_padded, stack_rows, unpack
from ..utils import refuse_moved

#: A pyramid: its levels as tables, or as (B, C, T_l) tensors; finest first.
Pyramid = Union[Sequence[PackedRows], Sequence[Tensor]]


class PyramidPart(BaseModule):
    """Base of backbones and necks.

    A subclass computes on tables, in :meth:`forward_rows`. :meth:`forward` also takes padded
    (B, C, T) tensors with masks, and answers likewise.
    """

    #: A localizer asks for it: parts written for (B, C, T) alone do not have it.
    takes_rows = True

    def forward(self, x: Union[PackedRows, Tensor, Pyramid], masks=None):
        """Compute.

        Args:
            x (PackedRows | list[PackedRows] | Tensor | list[Tensor]): What :meth:`forward_rows`
                takes, or the same as (B, C, T) tensors.
            masks (Tensor | list[Tensor], optional): (B, T) bool for each tensor, True where valid:
                the first steps of every sequence. Defaults to None: x is of tables.

        Returns:
            list[PackedRows] | tuple: L tables; or of tensors L features (B, D, T_l), zero at padded
            steps, and their masks (B, T_l), where T_l = ceil(T / 2^l).
        """
        if masks is None:
            check_tables(self, x)
            return self.forward_rows(x)
        single = isinstance(x, Tensor)
        packed = pack_padded(x, masks) if single else pack_pyramid(x, masks)
        steps = x.shape[2] if single else x[0].shape[2]
        outs = [unpack(level, -(-steps // 2**number))
                for number, level in enumerate(self.forward_rows(packed))]
        return tuple(out for out, _ in outs), tuple(mask for _, mask in outs)

    def forward_rows(self, packed):
        """Compute on tables, a PackedRows or a list of them; returns a list of PackedRows."""
        raise NotImplementedError


def pack_pyramid(feats: Sequence[Tensor], masks: Sequence[Tensor]) -> list[PackedRows]:
    """The levels of a pyramid as tables.

    Args:
        feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
        masks (Sequence[Tensor]): Per level (B, T_l) bool.

    Returns:
        list[PackedRows]: One table a level.
    """
    return [pack_padded(x, mask, level) for level, (x, mask) in enumerate(zip(feats, masks))]


def as_table(part, feats: Union[PackedRows, Pyramid], masks: Optional[Sequence[Tensor]],
             num_levels: int, in_channels: Optional[int] = None,
             data_samples: Optional[Sequence] = None) -> PackedRows:
    """The levels of a pyramid in one table.

    Args:
        part (nn.Module): Who asks, named in an error.
        feats (PackedRows | list[PackedRows] | Sequence[Tensor]): One table of all levels, a table
            a level, or per level (B, C, T_l); finest first.
        masks (Sequence[Tensor], optional): Per level (B, T_l) bool, for tensors.
        num_levels (int): Number of levels that the part is made for.
        in_channels (int, optional): Width that it is made for. Defaults to None: any.
        data_samples (Sequence, optional): One a video. Defaults to None: not needed.

    Returns:
        PackedRows: The table.

    Raises:
        ValueError: If the number of levels, channels or data samples is another.
    """
    if isinstance(feats, PackedRows):
        table = feats
    else:
        if masks is None:
            check_tables(part, feats)
        table = stack_rows(feats if masks is None else pack_pyramid(feats, masks))
    check_levels(part, set(table.layout.levels), num_levels)
    if in_channels not in (None, table.rows.shape[1]):
        raise ValueError(f'{type(part).__name__} takes features of {in_channels} channels, got '
                         f'{table.rows.shape[1]}')
    if data_samples is not None:
        check_samples(len(set(table.layout.videos)), data_samples)
    return table


#: What to do about samples that MMAction2's PackLocalizationInputs made; ends a message.
OTHER_SAMPLES = (": samples of MMAction2's ActivityNetDataset get through dict(type="
                 "'ActivityNetToTAL') and dict(type='PackTALInputs') in the pipeline")


def check_samples(num_videos: int, data_samples: Sequence) -> None:
    """Raise ValueError unless there is one data sample a video."""
    if len(data_samples) != num_videos:
        raise ValueError(f'{num_videos} videos, but {len(data_samples)} data samples')


def check_tables(part, feats: Union[PackedRows, Tensor, Pyramid]) -> None:
    """Raise TypeError if features that came without masks are no tables."""
    levels = feats if isinstance(feats, (list, tuple)) else [feats]
    if any(isinstance(x, Tensor) for x in levels):
        raise TypeError(f'{type(part).__name__}: (B, C, T) features need their masks')


def check_levels(part, levels: Collection, num_levels: int) -> None:
    """Raise ValueError unless a pyramid has as many levels as a part is made for."""
    if len(levels) != num_levels:
        raise ValueError(f'{type(part).__name__}: {len(levels)} feature levels came in, but it was '
                         f'built for {num_levels}')


#: What 0.1.0's ``variant='release'`` of a part stood for; parts that are not named: nothing.
RELEASE = dict(
    GMG="stem_kernel_size=1, stem_drop_path=0., scale_undropped=False, gate_act=None, "
        "global_mixer='affine', fft_norm='ortho', force_float32=True",
    SGP='stem_window_size=1, stem_drop_path=0., scale_undropped=False',
    ActionFormer='scale_undropped=False',
    ActionFormerHead='detach_iou=False',
    TridentHead='detach_iou=False',
    CLTDRHead='the values of configs/release/_base_/cltdr_gmg.py',
    SingleStageLocalizer='_base_ of a config of configs/release, or the values of its parts')


def refuse_unknown(part, unknown: dict) -> None:
    """Raise TypeError for arguments that a part does not have, and say what replaced them."""
    name = type(part).__name__
    release = unknown.get('variant') == 'release'
    refuse_moved(unknown, name, dict(
        variant=RELEASE.get(name, 'nothing in its place') if release else 'nothing in its place',
        proposal_files="dict(type='LoadTALProposals', proposal_files=[...]) into the pipelines"))
    if unknown:
        raise TypeError(f'{name} has no argument {", ".join(sorted(unknown))}')


def with_shapes(config: dict, part: str, **shapes: Optional[int]) -> dict:
    """A part's config with the shapes that follow from the parts before it.

    Args:
        config (dict): The config.
        part (str): What to call it in an error.
        **shapes (int, optional): ``in_channels``, ``num_levels``; None is not known.

    Returns:
        dict: The config with them.

    Raises:
        ValueError: If the config says otherwise.
    """
    config = dict(config)
    for key, value in shapes.items():
        if value is None:
            continue
        if config.get(key) not in (None, value):
            raise ValueError(f'{part} {config.get("type")}: {key}={config[key]} is written, but '
                             f'the parts before it give {value}')
        config[key] = value
    return config
