#!/usr/bin/env python
"""The same as ``cltdr convert checkpoint``."""
from cltdr_mm.cli.convert.checkpoint import main

if __name__ == '__main__':
    main()
