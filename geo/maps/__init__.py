"""Folium maps drawn from frames: this package draws and never computes."""
