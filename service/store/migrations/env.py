"""Alembic environment: runs on the connection that ``service.store.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from service.tables import METADATA


def run() -> None:
    """Apply the migrations on the connection in the configuration's attributes."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run()
