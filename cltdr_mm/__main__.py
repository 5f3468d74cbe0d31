"""``python -m cltdr_mm VERB``, the same as ``cltdr VERB``."""
from .cli import main

if __name__ == '__main__':
    main()
