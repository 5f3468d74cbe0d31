#!/usr/bin/env python
"""The same as ``cltdr test``."""
from cltdr_mm.cli.test import main

if __name__ == '__main__':
    main()
