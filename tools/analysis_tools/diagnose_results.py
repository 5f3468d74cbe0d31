#!/usr/bin/env python
"""The same as ``cltdr diagnose``."""
from cltdr_mm.cli.diagnose import main

if __name__ == '__main__':
    main()
