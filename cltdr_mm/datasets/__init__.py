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
from .tal_dataset import TALDataset
from .transforms import (
    ActivityNetToTAL,
    LoadTALFeature,
    LoadTALProposals,
    PackTALInputs,
    RandomCropFeature,
    ResizeFeature,
    TALToActivityNet,
)

__all__ = [
    'ActivityNet13Dataset', 'ActivityNetToTAL', 'AnnotationChecker', 'CharadesDataset',
    'EPICKitchens100Dataset', 'EPICSoundsDataset', 'Ego4DMQDataset', 'FineActionDataset',
    'HACSDataset', 'HAPTDataset', 'LoadTALFeature', 'LoadTALProposals', 'MultiTHUMOSDataset',
    'PackTALInputs', 'Problem', 'RandomCropFeature', 'ResizeFeature', 'TALDataError', 'TALDataset',
    'TALToActivityNet', 'THUMOS14Dataset', 'VideoAnnotation', 'class_names', 'load_annotations',
    'read_annotation_file'
]
