"""``safer-places lead``: what waits for the lead and the moderators, in numbers only."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="What waits for the safeguarding lead.")


@app.callback()
def main() -> None:
    """Tell what waits for the safeguarding lead."""


@app.command()
def due() -> None:
    """Print how many marks wait, how many are late, and what could not be told."""
    from service.core import open_core
    from service.moderation.workflow import count_due
    from service.settings import Settings

    core = open_core(Settings())
    try:
        found = count_due(core)
    finally:
        core.store.close()
    typer.echo(f"With the lead: {found.held}, late: {found.late}")
    typer.echo(f"Words not read in time: {found.unread}")
    typer.echo(f"E-mails not sent yet: {found.unsent}")
