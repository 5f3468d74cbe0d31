"""Models: tables of features in, a pyramid's candidates and losses out."""
from ..utils import refuse_moved_name
from . import layers
from .backbones import *  # noqa: F403
from .data_preprocessor import TALDataPreprocessor, TALVideoPreprocessor  # noqa: F401
from .fronts import *  # noqa: F403
from .heads import *  # noqa: F403
from .layers import *  # noqa: F403
from .localizers import *  # noqa: F403
from .losses import *  # noqa: F403
from .necks import *  # noqa: F403
from .task_modules import *  # noqa: F403


def __getattr__(name: str):
    refuse_moved_name(__name__, name, {
        **layers.MOVED, 'pad_sequences': 'TALDataPreprocessor().pack, or structures.pack',
        'trident_distances': 'boundary_windows and expected_distances'})
