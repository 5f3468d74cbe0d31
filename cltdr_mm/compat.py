"""Repairs of third-party packages that have to happen before their first import."""
