"""Verified safe places."""
