"""The benchmarks: class names, protocol, and what is known of their published annotations."""
from typing import Optional

from mmaction.registry import DATASETS

from .classes import class_names
from .tal_dataset import TALDataset


@DATASETS.register_module()
class THUMOS14Dataset(TALDataset):
    """THUMOS14: 200 validation videos to train on, 212 test videos, 20 sports actions.

    In five videos of the annotation file in use everywhere, 30 segments end between 2 and 540
    seconds after the video. They are part of the ground truth all published numbers were
    measured on, so they are kept: ``EXEMPT_VIDEOS``. 'Ambiguous', which the official annotations
    label what is hard to tell, is no class: ``IGNORED_LABELS``.
    Source: Idrees et al., CVIU 2017.
    """

    METAINFO = dict(classes=class_names('thumos14'), protocol='thumos14')
    DURATION_TOLERANCE = 1.0
    EXEMPT_VIDEOS = ('video_test_0000270', 'video_test_0000814', 'video_test_0001081',
                     'video_validation_0000364', 'video_validation_0000856')
    IGNORED_LABELS = ('Ambiguous', )


@DATASETS.register_module()
class MultiTHUMOSDataset(TALDataset):
    """MultiTHUMOS: the videos of THUMOS14 with 65 densely overlapping classes.

    The first 20 classes are THUMOS14's. The annotation file the converter reads numbers the other
    45 without names; the converter's ``--class-list`` and ``metainfo=dict(classes=FILE)``, a file
    of one name a line, bring them in. As in THUMOS14, segments of some videos end long after them
    and are kept.
    Source: Yeung et al., IJCV 2018.
    """

    METAINFO = dict(classes=class_names('multithumos'), protocol='multithumos')
    DURATION_TOLERANCE = 1.0
    EXEMPT_VIDEOS = (*THUMOS14Dataset.EXEMPT_VIDEOS, 'video_test_0000429', 'video_test_0000950',
                     'video_test_0001255', 'video_validation_0000054',
                     'video_validation_0000411', 'video_validation_0000413',
                     'video_validation_0000950')


@DATASETS.register_module()
class EPICKitchens100Dataset(TALDataset):
    """EPIC-KITCHENS-100 action detection: 97 verbs or 300 nouns.

    Source: Damen et al., IJCV 2022.

    Args:
        task (str): ``'verb'`` or ``'noun'``.
        metainfo (dict, optional): As in the base; overrides the classes of the task.
        **kwargs: As in :class:`TALDataset`.

    Raises:
        ValueError: If ``task`` is neither of the two.
    """

    METAINFO = dict(protocol='epic100')

    def __init__(self, task: str = 'verb', metainfo: Optional[dict] = None, **kwargs):
        if task not in ('verb', 'noun'):
            raise ValueError(f"task must be 'verb' or 'noun', got {task!r}")
        metainfo = dict(dict(classes=class_names(f'epic100_{task}'), task=task),
                        **(metainfo or {}))
        super().__init__(metainfo=metainfo, **kwargs)


@DATASETS.register_module()
class ActivityNet13Dataset(TALDataset):
    """ActivityNet-1.3: 200 classes, usually proposals of one class times video-level scores.

    Published segments end up to 0.85 s after their video, hence the tolerance.
    Source: Caba Heilbron et al., CVPR 2015.
    """

    METAINFO = dict(classes=class_names('activitynet200'), protocol='anet13')
    DURATION_TOLERANCE = 1.0


@DATASETS.register_module()
class HACSDataset(TALDataset):
    """HACS Segments: 50 thousand videos with ActivityNet's 200 classes.

    Source: Zhao et al., ICCV 2019.
    """

    METAINFO = dict(classes=class_names('activitynet200'), protocol='hacs')
    DURATION_TOLERANCE = 1.0


@DATASETS.register_module()
class HAPTDataset(TALDataset):
    """HAPT / SBHAR: 61 smartphone recordings, 6 activities and 6 postural transitions.

    Sources: Reyes-Ortiz et al., Neurocomputing 2015; as action localization, Bock et al.,
    IMWUT 2024.
    """

    METAINFO = dict(classes=class_names('hapt'), protocol='hapt')


@DATASETS.register_module()
class CharadesDataset(TALDataset):
    """Charades: 9,848 home videos, 157 classes that overlap densely.

    Classes are named by their codes, ``c000`` to ``c156``; the converter's ``--class-list`` and
    ``metainfo=dict(classes=FILE)`` bring in their names. About 3 in 10 segments end after the
    length that the annotations give, by up to 1.54 s, hence the tolerance.
    Source: Sigurdsson et al., *Hollywood in Homes*, ECCV 2016.
    """

    METAINFO = dict(classes=class_names('charades'), protocol='charades')
    DURATION_TOLERANCE = 1.6


@DATASETS.register_module()
class Ego4DMQDataset(TALDataset):
    """Ego4D Moment Queries: clips of about 8 minutes, 110 activities.

    Of the published segments 77 end more than 0.1 s after their clip, by up to 7.2 s, and one
    begins after it. They are part of the ground truth that all published numbers were measured on,
    so they are kept: the tolerance is 8 s. ``duration_tolerance=0.1`` names them.
    Source: Grauman et al., *Ego4D*, CVPR 2022.
    """

    METAINFO = dict(classes=class_names('ego4d_mq'), protocol='ego4d_mq')
    DURATION_TOLERANCE = 8.0


@DATASETS.register_module()
class FineActionDataset(TALDataset):
    """FineAction: 17 thousand videos, 106 fine-grained classes, usually proposals of one class.

    The classes are those that the annotation file lists, as the converter writes it. The tolerance
    is ActivityNet's: what the published annotations need was not looked at.
    Source: Liu et al., *FineAction*, IEEE TIP 2022.
    """

    METAINFO = dict(protocol='fineaction')
    DURATION_TOLERANCE = 1.0


@DATASETS.register_module()
class EPICSoundsDataset(TALDataset):
    """EPIC-Sounds: 44 classes of sounds in the videos of EPIC-KITCHENS-100.

    Published validation segments end up to 0.277 s after their video, hence the tolerance.
    Source: Huh et al., *EPIC-SOUNDS*, ICASSP 2023.
    """

    METAINFO = dict(classes=class_names('epic_sounds'), protocol='epic_sounds')
    DURATION_TOLERANCE = 0.3
