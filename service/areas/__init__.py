"""Boundary sets, their areas and the bulk join."""
