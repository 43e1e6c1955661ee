"""The commands of boundaries: import a file, fetch from the official portal, list what is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.core import Core, open_core
from service.settings import Settings

if TYPE_CHECKING:  # the commands start fast, and numpy waits until one runs
    from service.areas.workflow import Imported

app = typer.Typer(help="Boundary sets: import, fetch, list.", no_args_is_help=True)
SHOWN = 20

Day = Annotated[str | None, typer.Option(help="YYYY-MM-DD.")]
Default = Annotated[bool, typer.Option("--default", help="Pages use this set where none is asked for.")]


@contextmanager
def _core() -> Iterator[Core]:
    core = open_core(Settings())
    try:
        yield core
    finally:
        core.store.close()


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="Any vector file GDAL reads; .gz and .zip too.")],
    set_name: Annotated[str, typer.Option("--set", help="Name of the set, such as wards-2022.")],
    level: Annotated[str, typer.Option(help="ward, lsoa, borough or grid.")],
    code_field: Annotated[str | None, typer.Option(help="Column with the codes; guessed unless given.")] = None,
    name_field: Annotated[str | None, typer.Option(help="Column with the names; guessed unless given.")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer to read, where the file has several.")] = None,
    title: Annotated[str, typer.Option(help="Name of the set for people.")] = "",
    source: Annotated[str, typer.Option(help="Where the lines come from.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the lines.")] = "not stated",
    attribution: Annotated[str, typer.Option(help="What the licence asks to be said; the source unless given.")] = "",
    valid_from: Day = None,
    valid_to: Day = None,
    resolution_m: Annotated[
        float | None, typer.Option(help="How far a line may lie from the true one, in metres.")
    ] = None,
    drawing_only: Annotated[bool, typer.Option("--drawing-only", help="Join no places or crimes to it.")] = False,
    default: Default = False,
) -> None:
    """Read a file of areas, check it, store it as a set, and queue the join of what is there already."""
    from service.areas.workflow import Fields, SetWords, import_file

    words = SetWords(
        name=set_name,
        level=level,
        title=title,
        source=source or file.name,
        licence=licence,
        attribution=attribution,
        valid_from=_day(valid_from),
        valid_to=_day(valid_to),
        resolution_m=resolution_m,
        join_points=not drawing_only,
    )
    with _core() as core:
        done = import_file(core, file, words, fields=Fields(code_field, name_field, layer), default=default)
    _print_import(done)


@app.command("fetch")
def fetch_command(
    what: Annotated[str, typer.Argument(help="wards or boroughs.")],
    year: Annotated[int, typer.Option(help="Vintage: the layer of December of that year.")],
    area: Annotated[
        str | None, typer.Option(help="GSS code of the borough; that of the deployment unless given.")
    ] = None,
    set_name: Annotated[str | None, typer.Option("--set", help="Name of the set; wards-YEAR unless given.")] = None,
    service: Annotated[str | None, typer.Option(help="Name of the layer's service on the portal.")] = None,
    valid_from: Day = None,
    valid_to: Day = None,
    default: Default = False,
) -> None:
    """Fetch full-resolution areas from the ONS Open Geography portal; interrupted, it goes on where it stopped."""
    from rich.console import Console
    from rich.progress import Progress

    from service.areas.workflow import FetchPlan, fetch_set

    days = {"valid_from": _day(valid_from), "valid_to": _day(valid_to)}
    console = Console(stderr=True)
    with _core() as core, Progress(console=console, disable=not console.is_terminal) as bar:
        plan = FetchPlan(what, year, area or core.area_gss, set_name, service, default=default, **days)
        task = bar.add_task(f"Fetching {what}", total=None)
        done = fetch_set(core, plan, progress=lambda got, total: bar.update(task, completed=got, total=total))
    _print_import(done)


@app.command("list")
def list_command() -> None:
    """List the boundary sets."""
    from rich.console import Console
    from rich.table import Table

    from service.areas.workflow import list_sets

    with _core() as core:
        sets = list_sets(core)
    if not sets:
        typer.echo("No boundary sets yet. Import one: safer-places boundaries import FILE --set NAME --level ward")
        return
    table = Table("name", "level", "areas", "resolution", "in force", "")
    for view in sets:
        valid = f"{view.valid_from or '?'} to {view.valid_to or 'now'}"
        notes = [word for word, holds in (("default", view.is_default), ("approximate", view.approximate)) if holds]
        table.add_row(view.name, view.level, str(view.area_count), f"{view.resolution_m:g} m", valid, ", ".join(notes))
    Console().print(table)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no day; write it as YYYY-MM-DD."
        raise ValueError(message) from error


def _print_import(done: Imported) -> None:
    report, file, view = done.report, done.file, done.view
    typer.echo(f"Read {len(report.areas)} areas, {report.total_km2:.2f} km2, from {file.source_crs}.")
    typer.echo(f"Code field: {file.code_field}. Name field: {file.name_field}.")
    typer.echo(f"Rings repaired: {_some(report.repaired)}")
    typer.echo(f"Areas of several polygons: {_some(report.multipart)}")
    for word, flaws in (("Overlaps", report.overlaps), ("Gaps", report.gaps)):
        listed = [f"{' / '.join(flaw.area_gss)} {flaw.area_m2:,.1f} m2" for flaw in flaws]
        typer.echo(f"{word} over 1 m2: {_some(listed)}")
    if view.approximate:
        typer.echo(view.caveat)
    if not done.changed:
        typer.echo(f"{view.name} is stored already, just like this: nothing changed.")
        return
    kind = " It is the default." if view.is_default else ""
    queued = " Places and crimes are joined to it in the background." if view.join_points else ""
    typer.echo(f"Stored {view.name}.{kind}{queued}")


def _some(values: list[str] | tuple[str, ...]) -> str:
    if not values:
        return "none"
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return f"{len(values)} ({'; '.join(values[:SHOWN])}{more})"
