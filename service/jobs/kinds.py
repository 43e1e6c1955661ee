"""What each kind of job does: one function a kind, which calls the workflow of the subject it belongs to."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from service.core import Core
from service.jobs.context import JobContext

Kind = Callable[[Core, dict[str, Any], JobContext], dict[str, Any]]

# The imports wait until a job of the kind runs: the subjects queue jobs themselves, and some load heavy libraries.


def _join_places(core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
    from service.places.workflow import rejoin_places

    return {"set": parameters["set"], "places": rejoin_places(core, parameters["set"], job)}


def _join_crimes(core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
    from service.crimes.workflow import rejoin_crimes

    return {"set": parameters["set"], "crimes": rejoin_crimes(core, parameters["set"], job)}


def _join_hotspots(core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
    from service.places.workflow import rejoin_hotspots

    return {"run": parameters["run"], "places": rejoin_hotspots(core, uuid.UUID(parameters["run"]), job)}


def _hotspots(core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
    from service.runs.workflow import run_hotspots

    return run_hotspots(core, parameters, job)


def _density(core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
    from service.runs.workflow import run_density

    return run_density(core, parameters, job)


def _retention(core: Core, _parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
    from service.duty.workflow import SCHEDULE, run_retention

    job.progress(0.1, "erasing what is older than its period")
    return {"erased": run_retention(core, SCHEDULE).counts}


def _escalate(core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:  # noqa: ARG001
    from service.moderation.workflow import escalate

    return escalate(core)


def _release(core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
    from service.releases.workflow import release_job

    return release_job(core, parameters, job)


KINDS: dict[str, Kind] = {
    "join_places": _join_places,
    "join_crimes": _join_crimes,
    "join_hotspots": _join_hotspots,
    "hotspots": _hotspots,
    "density": _density,
    # moderation
    "escalate": _escalate,
    # releases
    "release": _release,
    "release_regular": _release,
    # duty
    "retention": _retention,
}
