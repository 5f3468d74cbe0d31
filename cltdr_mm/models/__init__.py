"""Models: padded features in, a pyramid's candidates and losses out."""
from .heads import *  # noqa: F403
from .localizers import *  # noqa: F403
from .losses import *  # noqa: F403
