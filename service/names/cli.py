"""The commands of names: import a file of streets and landmarks."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from service.core import open_core
from service.settings import Settings

app = typer.Typer(help="Streets and landmarks for the search.", no_args_is_help=True)


@app.callback()
def names() -> None:
    """Keep ``names import`` a command of its own: with one command only, the word would be left out."""


@app.command("import")
def import_command(
    files: Annotated[list[Path], typer.Argument(help="CSV with a header, or OS Open Names files.")],
    source: Annotated[str, typer.Option(help="Where they come from, as pages show it.")] = "",
) -> None:
    """Import names in or near the borough, in place of those of the same source."""
    from service.names.workflow import import_names

    core = open_core(Settings())
    try:
        for file in files:
            done = import_names(core, file, source=source if len(files) == 1 else f"{source} {file.name}".strip())
            typer.echo(
                f"{file.name}: {done.stored:,} names stored; {done.elsewhere:,} elsewhere and "
                f"{done.repeated:,} repeated were left out."
            )
            if done.rejected:
                target = file.with_name(file.name + ".rejected.csv")
                _write_report(target, done.rejected)
                typer.echo(f"{file.name}: {len(done.rejected):,} rows refused, see {target}.")
    finally:
        core.store.close()


def _write_report(target: Path, rejected: list[tuple[int, str]]) -> None:
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["line", "reason"])
        writer.writerows(rejected)
