"""``safer-places retention``, ``backup`` and ``restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

retention = typer.Typer(no_args_is_help=True, help="Erase what is older than its period.")


@retention.callback()
def _retention() -> None:
    """Erase what is older than its period."""


@retention.command("run")
def run_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Erase every class of data that is older than its period, and print what went."""
    from rich.console import Console
    from rich.table import Table

    from service.core import open_core
    from service.duty.workflow import CLASSES, run_retention
    from service.people.access import OPERATOR
    from service.settings import Settings

    core = open_core(Settings())
    try:
        report = run_retention(core, OPERATOR, is_dry=dry_run)
    finally:
        core.store.close()
    table = Table("class", "period", "would go" if dry_run else "erased", "what", title="Retention")
    for one in CLASSES:
        period = f"{report.days[one.name]} days" if one.setting else "once decided"
        table.add_row(one.name, period, str(report.counts[one.name]), one.erased)
    Console().print(table)
    typer.echo(f"Kept whatever their age, because the lead has not decided: {report.with_lead} marks.")
    if not report.log_emptied:
        typer.echo("A long read held the store's log; its bytes go with the next run.")


def backup(
    file: Annotated[Path, typer.Argument(help="New file; nothing is written over.")],
) -> None:
    """Back up the deployment to one file, also while it serves."""
    from service.core import open_core
    from service.duty.workflow import make_backup
    from service.people.access import OPERATOR
    from service.settings import Settings

    settings = Settings()
    core = open_core(settings)
    try:
        made = make_backup(core, file.absolute(), OPERATOR)
    finally:
        core.store.close()
    typer.echo(f"Backed up {made.files} files, {made.size / 1e6:.1f} MB: {file}")
    if settings.secret_key is None:
        typer.echo(
            f"The secret key is not in it: keep {settings.data_dir / 'secret.key'} apart, once, in a safe place."
        )
    if made.engine == "postgresql":
        typer.echo(
            "The store is PostgreSQL and is not in this file. Dump it right after:\n"
            f'  pg_dump --format=custom --file={file}.dump --dbname="$SAFER_PLACES_DATABASE_URL"\n'
            "pg_dump takes the URL without '+psycopg'."
        )
    typer.echo("Ship erasures.jsonl of the data folder apart and often: a restore forgets again what it names.")


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    into: Annotated[Path, typer.Option(help="New data folder.")],
    key: Annotated[Path | None, typer.Option(help="The secret.key that you keep apart.")] = None,
    journal: Annotated[Path | None, typer.Option(help="The newest erasures.jsonl there is.")] = None,
) -> None:
    """Restore a backup into a new folder; what was taken back or erased since is erased again."""
    from service import erasures
    from service.duty.workflow import RestorePlan, restore_backup
    from service.settings import Settings

    settings = Settings()
    newest = journal or settings.data_dir / erasures.FILE
    done = restore_backup(settings, RestorePlan(file, into.absolute(), key, newest))
    again = ", ".join(f"{count} {kind}" for kind, count in done.replayed.items()) or "nothing"
    typer.echo(f"Restored to {done.folder}. Erased again from the journal: {again}.")
    typer.echo(f"Retention erased {done.retention.total} rows more.")
    if not done.has_newer_journal:
        typer.echo(
            "Warning: no erasures.jsonl newer than the backup was given (--journal). Marks that were taken back since "
            "are in the restored store again: find that file before you serve it."
        )
    typer.echo(f"Look at it, then serve it: SAFER_PLACES_DATA_DIR={done.folder} safer-places serve")


export = typer.Typer(no_args_is_help=True, help="Share marks with somebody, and see what was shared.")


@export.command("places")
def export_places_command(
    file: Annotated[Path, typer.Argument(help="New file: .geojson, .csv or .gpkg.")],
    recipient: Annotated[str, typer.Option(help="Who gets it.")],
    purpose: Annotated[str, typer.Option(help="What it is used for.")],
    agreement: Annotated[str, typer.Option(help="Reference of the sharing agreement; exact places need one.")] = "",
    exact: Annotated[bool, typer.Option("--exact", help="Exact approved marks instead of counts by ward.")] = False,
) -> None:
    """Write approved marks to a file that only you can read, and record the share."""
    from service.core import open_core
    from service.duty.archive import new_file
    from service.duty.schemas import ExportRequest
    from service.duty.workflow import export_places
    from service.people.access import OPERATOR
    from service.settings import Settings

    if file.suffix not in {".geojson", ".csv", ".gpkg"}:
        message = f"{file.name}: end the name in .geojson, .csv or .gpkg."
        raise typer.BadParameter(message)
    values = {"recipient": recipient, "purpose": purpose, "agreement_id": agreement, "format": file.suffix[1:]}
    wanted = ExportRequest.model_validate(values | {"detail": "exact" if exact or agreement else "ward"})
    core = open_core(Settings())
    try:
        with new_file(file.absolute()) as sink:
            made = export_places(core, OPERATOR, wanted)
            sink.write(made.content)
    finally:
        core.store.close()
    typer.echo(f"{made.rows} rows in {file}; recorded in the ledger with digest {made.digest[:12]}.")


@export.command("ledger")
def ledger_command() -> None:
    """List what was shared, the newest first."""
    from rich.console import Console
    from rich.table import Table

    from service.core import open_core
    from service.duty.workflow import read_ledger
    from service.settings import Settings

    core = open_core(Settings())
    try:
        shares = read_ledger(core)
    finally:
        core.store.close()
    table = Table("when", "recipient", "purpose", "agreement", "by", "rows", "sha-256")
    for one in shares:
        row = (one.recipient, one.purpose, one.agreement_id or "-", one.actor, str(one.rows), one.digest)
        table.add_row(f"{one.at:%Y-%m-%d}", *row)
    Console().print(table)


def subject_export(
    file: Annotated[Path, typer.Argument(help="New file, for the person who asked.")],
) -> None:
    """Write everything held about the mark of a receipt, its words too, to a file that only you can read."""
    import json

    from service.core import open_core
    from service.duty.archive import new_file
    from service.duty.workflow import subject_export as make
    from service.settings import Settings

    receipt = typer.prompt("Receipt (words or code)", hide_input=True)  # never on the command line: others can list it
    core = open_core(Settings())
    try:
        with new_file(file.absolute()) as sink:
            sink.write(json.dumps(make(core, receipt), default=str, indent=1, ensure_ascii=False).encode())
    finally:
        core.store.close()
    typer.echo(f"Written to {file}. Hand it over in person, then delete it.")


participation = typer.Typer(no_args_is_help=True, help="Who took part, beside who lives here.")


@participation.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="CSV with area_gss, age_band, residents.")],
    source: Annotated[str, typer.Option(help="Where the numbers come from, such as 'Census 2021, TS007'.")],
) -> None:
    """Store residents by ward and age band; they replace those of before."""
    from service.core import open_core
    from service.duty.workflow import import_residents
    from service.settings import Settings

    core = open_core(Settings())
    try:
        typer.echo(f"{import_residents(core, file, source)} rows.")
    finally:
        core.store.close()


@participation.command("report")
def report_command() -> None:
    """Print who took part by age and by ward, beside residents."""
    from rich.console import Console
    from rich.table import Table

    from service.core import open_core
    from service.duty.workflow import participation as make
    from service.people.access import Principal
    from service.settings import Settings

    core = open_core(Settings())
    try:
        report = make(core, Principal("command-line", "planner"))
    finally:
        core.store.close()
    for title, lines in (("By age", report.bands), ("By ward", report.wards)):
        table = Table("", "people", "residents", "of residents", title=title)
        for line in lines:
            people = "not enough people yet" if line.people is None else f"about {line.people}"
            share = "-" if line.share_of_residents is None else f"{line.share_of_residents:.0%}"
            table.add_row(line.name, people, str(line.residents or "-"), share)
        Console().print(table)
