"""The benchmarks from their video files: classes and known errors as with features."""
from mmaction.registry import DATASETS

from .benchmarks import (
    ActivityNet13Dataset,
    CharadesDataset,
    Ego4DMQDataset,
    EPICKitchens100Dataset,
    HACSDataset,
    MultiTHUMOSDataset,
    THUMOS14Dataset,
)
from .tal_video_dataset import TALVideoDataset


@DATASETS.register_module()
class THUMOS14VideoDataset(THUMOS14Dataset, TALVideoDataset):
    """THUMOS14 as videos, see :class:`.THUMOS14Dataset` and :class:`.TALVideoDataset`."""


@DATASETS.register_module()
class MultiTHUMOSVideoDataset(MultiTHUMOSDataset, TALVideoDataset):
    """MultiTHUMOS as videos, see :class:`.MultiTHUMOSDataset` and :class:`.TALVideoDataset`."""


@DATASETS.register_module()
class EPICKitchens100VideoDataset(EPICKitchens100Dataset, TALVideoDataset):
    """EPIC-KITCHENS-100 as videos.

    See :class:`.EPICKitchens100Dataset` and :class:`.TALVideoDataset`.
    """


@DATASETS.register_module()
class ActivityNet13VideoDataset(ActivityNet13Dataset, TALVideoDataset):
    """ActivityNet-1.3 as videos, see :class:`.ActivityNet13Dataset`, :class:`.TALVideoDataset`."""


@DATASETS.register_module()
class HACSVideoDataset(HACSDataset, TALVideoDataset):
    """HACS Segments as videos, see :class:`.HACSDataset` and :class:`.TALVideoDataset`."""


@DATASETS.register_module()
class CharadesVideoDataset(CharadesDataset, TALVideoDataset):
    """Charades as videos, see :class:`.CharadesDataset` and :class:`.TALVideoDataset`."""


@DATASETS.register_module()
class Ego4DMQVideoDataset(Ego4DMQDataset, TALVideoDataset):
    """Ego4D Moment Queries as videos, see :class:`.Ego4DMQDataset`, :class:`.TALVideoDataset`."""
