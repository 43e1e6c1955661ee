"""Workshops, their windows and codes."""
