"""Makes features of videos: recognizers and other networks, their presets, whole folders."""
