#!/usr/bin/env python
"""The same as ``cltdr convert fineaction``."""
from cltdr_mm.cli.convert.fineaction import main

if __name__ == '__main__':
    main()
