#!/usr/bin/env python
"""The same as ``cltdr convert epic100``."""
from cltdr_mm.cli.convert.epic100 import main

if __name__ == '__main__':
    main()
