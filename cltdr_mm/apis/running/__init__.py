"""What the command line of a run does: configs found, read and changed, runs started."""
