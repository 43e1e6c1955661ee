"""The one runner of long work."""
