#!/usr/bin/env python
"""The same as ``cltdr convert anet13``."""
from cltdr_mm.cli.convert.anet13 import main

if __name__ == '__main__':
    main()
