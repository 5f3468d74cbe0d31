"""Convert annotations of benchmarks, recordings, published checkpoints."""
import sys

from .. import run_verb


def main(argv=None) -> None:
    """Run the verb named next."""
    run_verb('cltdr convert', __name__, sys.argv[1:] if argv is None else argv)
