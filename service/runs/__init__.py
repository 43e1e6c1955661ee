"""Recorded analyses: hot spots and density."""
