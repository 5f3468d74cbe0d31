"""Annotations, features and pipelines: from files to what a localizer takes."""
from ..utils import Problem, TALDataError
from .annotation_checks import AnnotationChecker, VideoAnnotation
from .annotations import load_annotations, read_annotation_file
from .benchmarks import (
    ActivityNet13Dataset,
    CharadesDataset,
    Ego4DMQDataset,
    EPICKitchens100Dataset,
    EPICSoundsDataset,
    FineActionDataset,
    HACSDataset,
    HAPTDataset,
    MultiTHUMOSDataset,
    THUMOS14Dataset,
)
from .classes import class_names
from .frame_sampling import FrameSampling
from .tal_dataset import TALDataset
from .tal_video_dataset import TALVideoDataset
from .transforms import (
    ActivityNetToTAL,
    ColorJitterFrames,
    LoadTALFeature,
    LoadTALFrames,
    LoadTALProposals,
    PackTALInputs,
    RandomCropFeature,
    RandomCropFrames,
    ResizeFeature,
    SampleTALFrames,
    TALToActivityNet,
)
from .video_benchmarks import (
    ActivityNet13VideoDataset,
    CharadesVideoDataset,
    Ego4DMQVideoDataset,
    EPICKitchens100VideoDataset,
    HACSVideoDataset,
    MultiTHUMOSVideoDataset,
    THUMOS14VideoDataset,
)

__all__ = [
    'ActivityNet13Dataset', 'ActivityNet13VideoDataset', 'ActivityNetToTAL', 'AnnotationChecker',
    'CharadesDataset', 'CharadesVideoDataset', 'ColorJitterFrames', 'EPICKitchens100Dataset',
    'EPICKitchens100VideoDataset', 'EPICSoundsDataset', 'Ego4DMQDataset', 'Ego4DMQVideoDataset',
    'FineActionDataset', 'FrameSampling', 'HACSDataset', 'HACSVideoDataset', 'HAPTDataset',
    'LoadTALFeature', 'LoadTALFrames', 'LoadTALProposals', 'MultiTHUMOSDataset',
    'MultiTHUMOSVideoDataset', 'PackTALInputs', 'Problem', 'RandomCropFeature', 'RandomCropFrames',
    'ResizeFeature', 'SampleTALFrames', 'TALDataError', 'TALDataset', 'TALToActivityNet',
    'TALVideoDataset', 'THUMOS14Dataset', 'THUMOS14VideoDataset', 'VideoAnnotation', 'class_names',
    'load_annotations', 'read_annotation_file'
]
