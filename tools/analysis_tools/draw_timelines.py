#!/usr/bin/env python
"""The same as ``cltdr draw timelines``."""
from cltdr_mm.cli.draw.timelines import main

if __name__ == '__main__':
    main()
