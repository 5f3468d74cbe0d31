"""Makes the helpers of this folder, and what the tools share, importable."""
import sys
from pathlib import Path

import cltdr_mm  # noqa: F401

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / 'tools'))  # as where one of them is run
