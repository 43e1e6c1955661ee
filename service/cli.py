"""The ``safer-places`` command: serve, demo, init, and the commands of each subject."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from service.areas import cli as areas_cli
from service.core import StartError, initialise
from service.crimes import cli as crimes_cli
from service.demo.cli import demo
from service.duty import cli as duty_cli
from service.errors import ServiceError
from service.jobs import cli as jobs_cli
from service.moderation import cli as moderation_cli
from service.names import cli as names_cli
from service.people import cli as people_cli
from service.releases import cli as releases_cli
from service.runs import cli as runs_cli
from service.settings import Settings
from service.venues import cli as venues_cli

USAGE_ERROR = 2
# Typer exports its children only: the error of a wrong command line.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="safer-places",
    help="Young people map where they feel safe and unsafe.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(demo)
app.add_typer(areas_cli.app, name="boundaries")
app.add_typer(crimes_cli.app, name="crimes")
app.add_typer(jobs_cli.app, name="jobs")
app.add_typer(runs_cli.app, name="run")
app.command()(jobs_cli.worker)
app.add_typer(names_cli.app, name="names")
app.add_typer(venues_cli.app, name="venues")
app.add_typer(people_cli.app, name="staff")
app.add_typer(people_cli.audit_app, name="audit")
# workshops
# moderation
app.add_typer(moderation_cli.app, name="lead")
# releases
app.add_typer(releases_cli.app, name="release")
# duty
app.add_typer(duty_cli.retention, name="retention")
app.command()(duty_cli.backup)
app.command()(duty_cli.restore)
app.add_typer(duty_cli.export, name="export")
app.add_typer(duty_cli.participation, name="participation")
app.command()(duty_cli.subject_export)


@app.command()
def init() -> None:
    """Start an empty real deployment in the data folder."""
    settings = Settings()
    initialise(settings, "real")
    typer.echo(
        f"Real deployment in {settings.data_dir}. Next: safer-places boundaries import FILE --set NAME --level ward"
    )


@app.command()
def upgrade() -> None:
    """Bring the store to the schema of this version."""
    from service.core import upgrade_store

    upgrade_store(Settings())
    typer.echo("The store is at the newest schema.")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the deployment in the data folder."""
    from service.serve import run_server

    given = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    run_server(Settings(**given))  # type: ignore[arg-type]


def _usage_line(error: Any) -> str:
    """Return a wrong command line as one line; called without any word, a command shows its help."""
    said = error.format_message()
    if "\n" in said.strip():
        return f"{said}\n"
    where = error.ctx.command_path if error.ctx else "safer-places"
    return f"safer-places: {said.rstrip('.')}: see '{where} --help'.\n"


def main() -> None:
    """Run the command; what the user got wrong is one line and exit code 2."""
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except typer.Abort:
        sys.exit(1)
    except UsageError as error:
        sys.stderr.write(_usage_line(error))
        sys.exit(USAGE_ERROR)
    except ValidationError as error:
        first = error.errors()[0]
        name = "SAFER_PLACES_" + "_".join(str(part) for part in first["loc"]).upper()
        sys.stderr.write(f"safer-places: {name}: {first['msg']}\n")
        sys.exit(USAGE_ERROR)
    except (StartError, ServiceError, ValueError, OSError) as error:
        sys.stderr.write(f"safer-places: {error}\n")
        sys.exit(USAGE_ERROR)


if __name__ == "__main__":
    main()
