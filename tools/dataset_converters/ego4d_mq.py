#!/usr/bin/env python
"""The same as ``cltdr convert ego4d_mq``."""
from cltdr_mm.cli.convert.ego4d_mq import main

if __name__ == '__main__':
    main()
