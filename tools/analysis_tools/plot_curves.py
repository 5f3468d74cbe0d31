#!/usr/bin/env python
"""The same as ``cltdr draw curves``."""
from cltdr_mm.cli.draw.curves import main

if __name__ == '__main__':
    main()
