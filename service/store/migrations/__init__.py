"""Alembic environment of the service."""
