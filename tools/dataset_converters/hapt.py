#!/usr/bin/env python
"""The same as ``cltdr convert hapt``."""
from cltdr_mm.cli.convert.hapt import main

if __name__ == '__main__':
    main()
