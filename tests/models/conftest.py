"""Makes the batteries of this folder, and models of fronts, importable from test modules below."""
import sys
from pathlib import Path

import cltdr_mm  # noqa: F401

for folder in ('', 'fronts'):
    sys.path.insert(0, str(Path(__file__).parent / folder))
