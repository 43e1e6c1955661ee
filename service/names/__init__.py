"""Streets and landmarks, for the search."""
