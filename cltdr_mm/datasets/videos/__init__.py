"""Reads video files: their frames, how long they are, at which rate."""
