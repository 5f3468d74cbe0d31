#!/usr/bin/env python
"""The same as ``cltdr proposals``."""
from cltdr_mm.cli.proposals import main

if __name__ == '__main__':
    main()
