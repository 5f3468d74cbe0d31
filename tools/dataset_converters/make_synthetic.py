#!/usr/bin/env python
"""The same as ``cltdr convert synthetic``."""
from cltdr_mm.cli.convert.synthetic import main

if __name__ == '__main__':
    main()
