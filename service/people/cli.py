"""``safer-places staff``: keys of programs and colleagues."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Staff and API keys.")


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
