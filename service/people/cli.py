"""``safer-places staff`` and ``safer-places audit``: accounts, keys, and whether the audit is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, help="Staff and API keys.")
TOLD_EVERY = 50_000  # rows
audit_app = typer.Typer(no_args_is_help=True, help="The audit of staff acts.")


Role = Annotated[str, typer.Option(help="youth_worker, moderator, safeguarding_lead, planner or admin.")]
Team = Annotated[str | None, typer.Option(help="Name of the team; made if it is new.")]
Url = Annotated[str | None, typer.Option(help="Where the service is reached, such as https://map.example.org.")]


@app.command()
def add(
    login: Annotated[str, typer.Option(help="What the person types to sign in.")],
    label: Annotated[str, typer.Option(help="How colleagues and the audit call them.")],
    role: Role,
    team: Team = None,
    notify: Annotated[str | None, typer.Option(help="E-mail address for what is late (leads, administrators).")] = None,
    url: Url = None,
) -> None:
    """Make an account and print its invite once; its holder sets a password and an authenticator app with it."""
    from service.people.workflow import OPERATOR, add_account

    with _core() as core:
        token = add_account(core, OPERATOR, login=login, label=label, role=role, team=team, notify=notify)
        where = (url or f"http://{core.settings.host}:{core.settings.port}{core.settings.base_path}").rstrip("/")
        typer.echo(f"Give {label} this link; it is good once, for {core.settings.staff_invite_hours} hours:")
        typer.echo(f"{where}/staff/invite#{token}")


@app.command(name="list")
def list_() -> None:
    """List accounts and API keys: name, login, role, team, state."""
    from service.people.workflow import OPERATOR, list_accounts, list_keys

    with _core() as core:
        lines = [
            (one.label, one.login or "-", one.role, one.team or "-", one.state, f"{one.sessions} sessions")
            for one in list_accounts(core, OPERATOR)
        ]
        for held in list_keys(core, OPERATOR):
            until = f"until {held.row.expires_at:%Y-%m-%d}" if held.row.expires_at else "no end"
            lines.append((held.row.label, "(key)", held.row.role, held.team or "-", held.state, until))
    if not lines:
        typer.echo("Nobody yet: safer-places staff add --login NAME --label NAME --role admin")
    widths = [max(len(line[at]) for line in lines) for at in range(6)] if lines else []
    for line in lines:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


@app.command()
def revoke(
    label: Annotated[str, typer.Argument(help="Name of the account or key, as 'staff list' shows it.")],
) -> None:
    """End an account or an API key, and its sessions, at once."""
    from service.people.workflow import OPERATOR, end_account, list_accounts, list_keys, revoke_key

    with _core() as core:
        account = next((one for one in list_accounts(core, OPERATOR) if one.label == label), None)
        held = next((one for one in list_keys(core, OPERATOR) if one.row.label == label), None)
        if account is not None:
            end_account(core, OPERATOR, account.number)
        elif held is not None:
            revoke_key(core, OPERATOR, held.row.id)
        else:
            message = f"There is no account or key called {label}: see 'safer-places staff list'."
            raise typer.BadParameter(message)
        typer.echo(f"{label} has ended.")


@app.command()
def invite(
    label: Annotated[str, typer.Argument(help="Name of the account, as 'staff list' shows it.")],
    url: Url = None,
) -> None:
    """Reset an account (password, app, recovery codes, sessions) and print a new invite once."""
    from service.people.workflow import OPERATOR, list_accounts, renew_invite

    with _core() as core:
        account = next((one for one in list_accounts(core, OPERATOR) if one.label == label), None)
        if account is None:
            message = f"There is no account called {label}: see 'safer-places staff list'."
            raise typer.BadParameter(message)
        token = renew_invite(core, OPERATOR, account.number)
        where = (url or f"http://{core.settings.host}:{core.settings.port}{core.settings.base_path}").rstrip("/")
        typer.echo(f"{where}/staff/invite#{token}")


@app.command()
def key(
    label: Annotated[str, typer.Option(help="How the key is called in lists and in the audit.")],
    role: Role,
    team: Team = None,
    days: Annotated[int, typer.Option(min=1, max=730, help="Days until it expires.")] = 365,
    scope: Annotated[
        list[str] | None, typer.Option(help="A right that it is held to, such as places.list; repeat it for several.")
    ] = None,
    agreement: Annotated[
        str | None, typer.Option(help="Id of the agreement under which it may read exact places (L8).")
    ] = None,
) -> None:
    """Make an API key and print it once; without --scope it may do all that its role may."""
    from service.people.schemas import KeyForm
    from service.people.workflow import OPERATOR, add_key

    form = KeyForm(label=label, role=role, team=team or "", days=days, agreement=agreement or "", scopes=scope or [])
    with _core() as core:
        typer.echo(add_key(core, OPERATOR, form))


@contextmanager
def _core() -> Iterator[Any]:
    """Open the deployment of the settings, and close it."""
    from service.core import open_core
    from service.settings import Settings

    core = open_core(Settings())
    try:
        yield core
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
    from service.people import auditing

    with _core() as core:
        rows = auditing.verify(core, log=log, tell=_tell_rows)
    typer.echo(f"The audit is whole: {rows:,} rows, each sealed to the one before it.")


def _tell_rows(rows: int) -> None:
    if rows % TOLD_EVERY == 0:
        typer.echo(f"{rows:,} rows are whole so far", err=True)
