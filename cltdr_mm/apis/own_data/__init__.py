"""A user's own data before training: checked, looked at, and a config written that fits."""
