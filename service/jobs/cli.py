"""The commands of jobs: a worker in the foreground, a list, and running everything that waits with a bar."""

from __future__ import annotations

from typing import Annotated

import typer

from service.core import open_core
from service.jobs.schemas import JobStatus
from service.settings import Settings

app = typer.Typer(help="Long work: list it, run it here.", no_args_is_help=True)


def worker() -> None:
    """Run jobs in the foreground until stopped (Ctrl-C)."""
    from service.jobs.worker import main

    raise typer.Exit(main([]))


@app.command("list")
def list_command(
    status: Annotated[JobStatus | None, typer.Option(help="Only queued, running, done, failed or cancelled.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
) -> None:
    """List the newest jobs."""
    from rich.console import Console
    from rich.table import Table

    from service.jobs.store import read_jobs

    core = open_core(Settings())
    try:
        with core.store.read() as session:
            jobs = read_jobs(session, status=status, kind=None, limit=limit)
    finally:
        core.store.close()
    if not jobs:
        typer.echo("No jobs.")
        return
    table = Table("queued at", "kind", "status", "progress", "what", "id")
    for job in jobs:
        what = job.error or job.message or ", ".join(f"{key} {value}" for key, value in job.parameters.items())
        when = f"{job.created_at:%Y-%m-%d %H:%M}"
        table.add_row(when, job.kind, job.status, f"{job.progress:.0%}", what, str(job.id))
    Console().print(table)


@app.command("run-all")
def run_all_command() -> None:
    """Run every waiting job in this process, with a progress bar."""
    from service.jobs.workflow import run_all_with_bar

    core = open_core(Settings())
    try:
        failed = run_all_with_bar(core)
    finally:
        core.store.close()
    raise typer.Exit(1 if failed else 0)
