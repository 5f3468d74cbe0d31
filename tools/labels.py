#!/usr/bin/env python
"""The same as ``cltdr labels``."""
from cltdr_mm.cli.labels import main

if __name__ == '__main__':
    main()
