#!/usr/bin/env python
"""The same as ``cltdr convert multithumos``."""
from cltdr_mm.cli.convert.multithumos import main

if __name__ == '__main__':
    main()
