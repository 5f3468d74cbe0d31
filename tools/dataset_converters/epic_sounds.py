#!/usr/bin/env python
"""The same as ``cltdr convert epic_sounds``."""
from cltdr_mm.cli.convert.epic_sounds import main

if __name__ == '__main__':
    main()
