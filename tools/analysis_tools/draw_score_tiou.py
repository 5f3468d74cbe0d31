#!/usr/bin/env python
"""The same as ``cltdr draw score_tiou``."""
from cltdr_mm.cli.draw.score_tiou import main

if __name__ == '__main__':
    main()
