"""Engine, sessions, the one write path, migrations."""
