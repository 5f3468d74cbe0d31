#!/usr/bin/env python
"""The same as ``cltdr convert thumos14``."""
from cltdr_mm.cli.convert.thumos14 import main

if __name__ == '__main__':
    main()
