#!/usr/bin/env python
"""The same as ``cltdr train``."""
from cltdr_mm.cli.train import main

if __name__ == '__main__':
    main()
