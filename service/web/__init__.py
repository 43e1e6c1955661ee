"""Headers, sessions, templates and static files."""
