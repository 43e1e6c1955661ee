"""``safer-places staff`` and ``safer-places audit``: accounts, keys, and whether the audit is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Staff and API keys.")
TOLD_EVERY = 50_000  # rows
audit_app = typer.Typer(no_args_is_help=True, help="The audit of staff acts.")


@app.command()
def key(
    label: Annotated[str, typer.Option(help="How the key is called in lists and in the audit.")],
    role: Annotated[str, typer.Option(help="youth_worker, moderator, safeguarding_lead, planner or admin.")],
    team: Annotated[str | None, typer.Option(help="Name of the team; made if it is new.")] = None,
    days: Annotated[int, typer.Option(min=1, max=730, help="Days until it expires.")] = 365,
) -> None:
    """Make an API key and print it once."""
    from service.core import open_core
    from service.people.workflow import make_key
    from service.settings import Settings

    core = open_core(Settings())
    try:
        typer.echo(make_key(core, label=label, role=role, team=team, days=days))
    finally:
        core.store.close()


@audit_app.callback()
def audit() -> None:
    """Look after the audit of staff acts."""


@audit_app.command()
def verify(
    log: Annotated[
        Path | None, typer.Option(help="A copy of audit.log kept elsewhere, to compare the end with.", exists=True)
    ] = None,
) -> None:
    """Walk the whole audit: names the first row that was changed, removed or put in, and a cut end (exit code 2)."""
    from service.core import open_core
    from service.people import auditing
    from service.settings import Settings

    core = open_core(Settings())
    try:
        rows = auditing.verify(core, log=log, tell=_tell_rows)
    finally:
        core.store.close()
    typer.echo(f"The audit is whole: {rows:,} rows, each sealed to the one before it.")


def _tell_rows(rows: int) -> None:
    if rows % TOLD_EVERY == 0:
        typer.echo(f"{rows:,} rows are whole so far", err=True)
