"""The commands of crimes: import police files, fetch from the police API, count anew, list what is held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.core import Core, open_core
from service.settings import Settings

if TYPE_CHECKING:  # the commands start fast, and numpy waits until one runs
    from rich.progress import Progress, TaskID

    from service.crimes.schemas import ImportReport

app = typer.Typer(help="Crimes: import, fetch, recount, list.", no_args_is_help=True)
SHOWN = 30

Replace = Annotated[
    bool, typer.Option("--replace", help="Put API rows in place of archive rows of the same month, or the reverse.")
]


@contextmanager
def _core() -> Iterator[Core]:
    core = open_core(Settings())
    try:
        yield core
    finally:
        core.store.close()


class _Bar:
    """Draws the progress of a workflow as a bar with an estimated end."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar, self._task = bar, task

    def progress(self, fraction: float, message: str = "") -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=fraction, description=message)


@contextmanager
def _bar(words: str) -> Iterator[_Bar]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    shown = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*shown, console=console, disable=not console.is_terminal) as bar:
        yield _Bar(bar, bar.add_task(words, total=1.0))


@app.command("import")
def import_command(
    paths: Annotated[
        list[Path], typer.Argument(help="Street-level CSV, archive (zip), the API's JSON, or folders of them.")
    ],
    force: Annotated[
        str | None, typer.Option(help="Force of rows that name none, such as metropolitan: needed for the API's JSON.")
    ] = None,
    replace: Replace = False,
) -> None:
    """Import police files; every line is kept or told in a report, and nothing changes unless all of it can be read."""
    from service.crimes.workflow import import_files

    with _core() as core, _bar("Reading") as bar:
        report = import_files(core, paths, force=force, replace=replace, job=bar)
    _print_report(report)


@app.command("fetch")
def fetch_command(
    first: Annotated[str, typer.Option("--from", help="First month, YYYY-MM.")],
    last: Annotated[str, typer.Option("--to", help="Last month, YYYY-MM.")],
    force: Annotated[str, typer.Option(help="Force of the area, such as metropolitan: the API does not tell.")],
    area: Annotated[
        str | None, typer.Option(help="Boundary set whose areas together are asked for; without it the borough.")
    ] = None,
    replace: Replace = False,
) -> None:
    """Fetch months from the police API and import them; interrupted, it goes on where it stopped."""
    from geo.crimes import month_range
    from service.crimes.workflow import fetch_months

    months = month_range(first, last)
    with _core() as core, _bar("Fetching") as bar:
        report, unpublished = fetch_months(core, months, force=force, area=area, replace=replace, job=bar)
    _print_report(report)
    if unpublished:
        typer.echo(f"Not published by the police, so still missing: {', '.join(unpublished)}.")


@app.command("recount")
def recount_command(
    set_name: Annotated[str | None, typer.Option("--set", help="Boundary set; without it every one.")] = None,
) -> None:
    """Count the crimes by area anew: after LSOAs were imported, or the distance to a line was changed."""
    from service.areas.workflow import list_sets
    from service.crimes.workflow import rejoin_crimes

    with _core() as core:
        names = [view.name for view in list_sets(core) if view.join_points] if set_name is None else [set_name]
        for name in names:
            with _bar(f"Counting by {name}") as bar:
                crimes = rejoin_crimes(core, name, bar)
            typer.echo(f"{name}: {crimes:,} crimes counted.")


@app.command("list")
def list_command() -> None:
    """List the months held of each force, and those missing."""
    from service.crimes.workflow import months_held

    with _core() as core:
        found = months_held(core)
    if not found.forces:
        typer.echo("No crimes yet. Import some: safer-places crimes import FILE")
        return
    for force in found.forces:
        rows = sum(month.rows for month in force.months)
        held = f"{len(force.months)} months, {rows:,} crimes" if force.months else "nothing held"
        typer.echo(f"{force.name} ({force.force}): {held}; missing: {', '.join(force.missing) or 'none'}.")


def _print_report(report: ImportReport) -> None:
    if report.is_unchanged:
        typer.echo(f"Nothing changed: these {report.rows:,} crimes ({len(report.keys)} months) are held already.")
        return
    for key in report.keys[:SHOWN]:
        typer.echo(f"{key.month}  {key.force:<20} {key.rows:>10,} crimes  {key.rejected:>6,} rejected  {key.change}")
    if len(report.keys) > SHOWN:
        typer.echo(f"... and {len(report.keys) - SHOWN:,} more.")
    rate = report.rows / max(report.seconds, 1e-3)
    typer.echo(
        f"{report.rows:,} crimes in {len(report.keys)} months, {report.seconds:.1f} s, {rate:,.0f} rows a second."
    )
    for reason, count in report.rejected.items():
        typer.echo(f"Rejected: {count:,} x {reason}.")
    for slug, count in report.new_types.items():
        typer.echo(
            f"Not a crime type known here, kept as it is named: {slug} ({count:,} rows). Is it one of the police's?"
        )
    if report.report is not None:
        typer.echo(f"Rejected lines, one by one: {report.report}")
    if report.passed_over:
        more = f" and {len(report.passed_over) - 5:,} more" if len(report.passed_over) > 5 else ""  # noqa: PLR2004
        typer.echo(f"Passed over: {', '.join(report.passed_over[:5])}{more}.")
    if report.waiting_sets:
        typer.echo(
            f"Still to be counted by {', '.join(report.waiting_sets)}: a running server does it, "
            "or 'safer-places jobs run-all'."
        )
