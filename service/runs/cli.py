"""The commands of runs: find hot spots, compute density, repeat a run to the digit."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from service.core import Core, open_core
from service.errors import InvalidInputError
from service.settings import Settings

app = typer.Typer(help="Recorded analyses: hot spots and density.", no_args_is_help=True)

MONTH = "Write a month as YYYY-MM, for example 2018-06."
WRONG = {
    "from": f"--from is not a month. {MONTH}",
    "to": f"--to is not a month. {MONTH}",
    "categories": "--category takes a slug such as robbery or violent-crime.",
}
From = Annotated[str | None, typer.Option("--from", help="First month, YYYY-MM; else the newest months held.")]
To = Annotated[str | None, typer.Option("--to", help="Last month, YYYY-MM; else the newest held.")]
Categories = Annotated[list[str] | None, typer.Option("--category", help="Crime type (slug); may be given again.")]
Current = Annotated[bool, typer.Option("--current/--keep-current", help="Whether maps and places use it from now on.")]


@app.command()
def hotspots(start: From = None, end: To = None, category: Categories = None, current: Current = True) -> None:
    """Find hot spots of recorded crime."""
    _start("hotspots", {"from": start, "to": end, "categories": category or [], "make_current": current})


@app.command()
def density(start: From = None, end: To = None, category: Categories = None, current: Current = True) -> None:
    """Compute the density of recorded crime."""
    _start("density", {"from": start, "to": end, "categories": category or [], "make_current": current})


@app.command()
def repeat(run_id: Annotated[uuid.UUID, typer.Argument(help="Id of the run.")]) -> None:
    """Compute a run again from its recorded inputs and compare every digit."""
    from service.runs.workflow import repeat_run

    core = open_core(Settings())
    try:
        found = repeat_run(core, run_id)
    finally:
        core.store.close()
    if found.is_same:
        typer.echo(f"The same to the digit: {found.digest}")
        return
    code = "by the same code" if found.code == found.stored_code else f"by {found.code}, then by {found.stored_code}"
    typer.echo(f"Another result ({code}): {found.digest}; stored is {found.stored_digest}.")
    raise typer.Exit(1)


@app.command("list")
def list_command() -> None:
    """List the newest runs."""
    from rich.console import Console
    from rich.table import Table

    from service.runs.workflow import list_runs

    core = open_core(Settings())
    try:
        runs = list_runs(core, limit=20)
    finally:
        core.store.close()
    table = Table("stored at", "kind", "months", "points", "current")
    table.add_column("id", no_wrap=True, min_width=36)  # whole: 'run repeat' asks for it
    for run in runs:
        months = run.parameters["months"]
        period = f"{months[0]} to {months[-1]} ({len(months)})"
        when, points = f"{run.created_at:%Y-%m-%d %H:%M}", f"{run.summary['points']:,}"
        table.add_row(when, run.kind, period, points, "yes" if run.is_current else "", str(run.id))
    Console().print(table)


def _start(kind: str, parameters: dict[str, Any]) -> None:
    from pydantic import TypeAdapter

    from service.runs.schemas import RunRequest

    try:
        request: Any = TypeAdapter(RunRequest).validate_python({"kind": kind, "parameters": parameters})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][2]) if len(first["loc"]) > 2 else "parameters"  # noqa: PLR2004  kind, parameters, name
        said = str(first["msg"]).removeprefix("Value error, ")
        raise InvalidInputError(WRONG.get(name, said)) from error
    core = open_core(Settings())
    try:
        _run_and_tell(core, request)
    finally:
        core.store.close()


def _run_and_tell(core: Core, request: Any) -> None:
    from service.jobs.workflow import run_to_end
    from service.runs.workflow import queue_run

    job = run_to_end(core, queue_run(core, request))
    if job.status != "done" or job.result is None:
        raise InvalidInputError(job.error or f"The run was {job.status}.")
    result = job.result
    what = f", {result['hotspots']} hot spots" if "hotspots" in result else ""
    missing = f" Missing: {', '.join(result['missing_months'])}." if result["missing_months"] else ""
    typer.echo(f"Run {result['run']}: {result['months']} months{what}.{missing}")
