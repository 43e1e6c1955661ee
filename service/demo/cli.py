"""The command ``safer-places demo``: make the sample deployment, once."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from service.core import initialise, open_core
from service.settings import Settings


def demo(
    marks: Annotated[int, typer.Option(help="How many marks to make.", min=1, max=1_000_000)] = 400,
    months: Annotated[int, typer.Option(help="How many months of recorded crime.", min=1, max=120)] = 24,
) -> None:
    """Fill the data folder with sample data, all of it made up; what is there already stays."""
    from service.demo.workflow import Size, fill

    settings = Settings()
    started = time.monotonic()
    initialise(settings, "demo")
    core = open_core(settings)
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        typer.echo(f"  {text} ...")

    typer.echo(f"Sample data for {core.area_name} in {settings.data_dir}")
    try:
        failed = fill(core, Size(marks=marks, months=months), today=datetime.now(UTC).date(), tell=tell)
    finally:
        core.store.close()
    if failed:
        raise typer.Exit(1)
    typer.echo(f"Done in {time.monotonic() - started:.0f} s." if told else "It is filled already.")
