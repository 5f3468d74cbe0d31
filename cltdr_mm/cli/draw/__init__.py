"""Draw timelines of videos, curves over tIoU and of trainings, or scores beside tIoUs."""
import sys

from .. import run_verb


def main(argv=None) -> None:
    """Run the verb named next."""
    run_verb('cltdr draw', __name__, sys.argv[1:] if argv is None else argv)
