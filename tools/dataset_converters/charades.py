#!/usr/bin/env python
"""The same as ``cltdr convert charades``."""
from cltdr_mm.cli.convert.charades import main

if __name__ == '__main__':
    main()
