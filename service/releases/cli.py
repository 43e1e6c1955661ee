"""``safer-places release``: make, list, show and export releases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from service.core import Core, open_core
from service.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What the public may see: immutable, disclosed snapshots.")


@contextmanager
def _opened() -> Iterator[Core]:
    core = open_core(Settings())
    try:
        yield core
    finally:
        core.store.close()


@app.command()
def make() -> None:
    """Make a release of the marks of now; public pages show it at once."""
    from service.releases.workflow import SHELL, intruder_warning, make_release

    with _opened() as core:
        warning = intruder_warning(core)
        if warning:
            typer.echo(warning, err=True)
        found = make_release(core, SHELL)
        shown = len(found.cells) - found.hidden
        typer.echo(f"Release {found.number}: {shown} numbers shown, {found.hidden} hidden. {found.digest}")


@app.command("list")
def list_command() -> None:
    """List the releases."""
    from service.releases.workflow import list_releases

    with _opened() as core:
        lines = list_releases(core)
    for one in lines:
        now = "  current" if one.is_current else ""
        typer.echo(f"{one.number:>4}  {one.made_on}  shown {one.shown}, hidden {one.hidden}  {one.digest[:12]}{now}")
    if not lines:
        typer.echo("No release yet: safer-places release make")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="CSV, GeoJSON or JSON file to write, by its ending.")],
    number: Annotated[int | None, typer.Option(help="Number of a release; the current one where left out.")] = None,
) -> None:
    """Write a release to a file for a freedom-of-information request (L9): exactly what the public can read."""
    from service.releases import workflow

    with _opened() as core:
        found = workflow.current(core) if number is None else workflow.read_release(core, number)
        ending = file.suffix.lower()
        if ending == ".csv":
            body = workflow.as_csv(found).encode()
        elif ending == ".geojson":
            body = workflow.as_geojson(core, found)
        elif ending == ".json":
            body = found.model_dump_json(indent=1).encode()
        else:
            message = f"The file must end in .csv, .geojson or .json; got {file.name!r}."
            raise typer.BadParameter(message)
    file.write_bytes(body)
    typer.echo(f"Release {found.number} of {found.made_on} written to {file}")
