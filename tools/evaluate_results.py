#!/usr/bin/env python
"""The same as ``cltdr evaluate``."""
from cltdr_mm.cli.evaluate import main

if __name__ == '__main__':
    main()
