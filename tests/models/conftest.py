"""Makes the batteries of this folder importable from the test modules below it."""
import sys
from pathlib import Path

import cltdr_mm  # noqa: F401

sys.path.insert(0, str(Path(__file__).parent))
