"""``safer-places venues``: import verified safe places."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Look after verified safe places.", no_args_is_help=True)


@app.callback()
def venues() -> None:
    """Look after verified safe places."""


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or GeoJSON file.")],
    report: Annotated[Path | None, typer.Option(help="Where refused rows go; FILE.rejected.csv if left out.")] = None,
) -> None:
    """Import venues; rows that cannot be used go to a report file with line number and reason."""
    from service.core import open_core
    from service.settings import Settings
    from service.venues.workflow import import_venues

    core = open_core(Settings())
    try:
        result = import_venues(core, file)
    finally:
        core.store.close()
    typer.echo(f"{result.new} new, {result.renewed} renewed, {len(result.rejected)} refused.")
    if result.rejected:
        target = report or file.with_name(file.name + ".rejected.csv")
        with target.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(("line", "reason"))
            writer.writerows(result.rejected)
        typer.echo(f"Why rows were refused: {target}")
