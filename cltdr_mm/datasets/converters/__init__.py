"""Converters from the files that benchmarks publish to our annotation layout."""
