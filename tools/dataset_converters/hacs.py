#!/usr/bin/env python
"""The same as ``cltdr convert hacs``."""
from cltdr_mm.cli.convert.hacs import main

if __name__ == '__main__':
    main()
