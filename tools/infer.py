#!/usr/bin/env python
"""The same as ``cltdr infer``."""
from cltdr_mm.cli.infer import main

if __name__ == '__main__':
    main()
