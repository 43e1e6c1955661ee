"""Runs: plan one from what is held, compute and store it, repeat it, and what maps, places and pages read of it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import shapely
from sqlalchemy.orm import Session

from geo import crs
from geo.crimes import CAVEATS, FORCE_NAMES, LICENCE, SAMPLE_SOURCE, SOURCE
from service.areas import workflow as areas
from service.core import Core
from service.crimes import workflow as crimes
from service.errors import FieldProblem, InvalidInputError, NotFoundError
from service.jobs.context import JobContext, Silent
from service.jobs.workflow import enqueue, on_new_run
from service.people.access import OPERATOR, Principal, Right
from service.people.audit import record
from service.runs import analysis, results, store
from service.runs.analysis import RunPlan
from service.runs.models import Run
from service.runs.period import Held, Period, choose_period
from service.runs.schemas import (
    CellTable,
    DensityParameters,
    DensityRequest,
    HotspotCollection,
    HotspotFeature,
    HotspotParameters,
    HotspotProperties,
    HotspotRequest,
    HotspotView,
    PeriodParameters,
    Repetition,
    RunOut,
)

NOT_SCORED: Final = (
    "Not scored yet on a later month beside the naive map (counts of the 12 months before): for staff, not to be "
    "published."
)
SAMPLE: Final = "Sample data: simulated, and no real crime is in it."
RIM: Final = "Cells on the rim reach beyond the borough and hold only what the files hold there."
DENSE_IS_NOT_HOT: Final = "A dense cell is not a hot spot: density says nothing of chance."
CURRENT: Final = "current"
DECIMALS: Final = 6  # 0.1 m
_NOT_STORED: Final = {"make_current", "automatic", "start", "end"}


# --- start -----------------------------------------------------------------------------------------------------------


def start_run(core: Core, principal: Principal, request: HotspotRequest | DensityRequest) -> uuid.UUID:
    """Queue a run and return the id of its job.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who asks.
    request : HotspotRequest or DensityRequest
        What to compute.

    Returns
    -------
    UUID
        Of the job; its result names the run.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not start runs.
    InvalidInputError
        If too few months are held for it.
    """
    principal.require(Right.RUNS_START)
    return _queue(core, request, principal)


def queue_run(core: Core, request: HotspotRequest | DensityRequest) -> uuid.UUID:
    """Queue a run for the operator; as ``start_run``."""
    return _queue(core, request, OPERATOR)


def _queue(core: Core, request: HotspotRequest | DensityRequest, principal: Principal) -> uuid.UUID:
    _choose_period(core, request.kind, request.parameters)  # a job that must fail is refused now
    parameters = request.parameters.model_dump(mode="json", exclude_defaults=True)

    def write(session: Session) -> uuid.UUID:
        job_id = enqueue(session, request.kind, parameters)
        record(session, core, principal, "run.start", subject=str(job_id), kind=request.kind)
        return job_id

    return core.store.write(write)


# --- run -------------------------------------------------------------------------------------------------------------


def run_hotspots(core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
    """Find hot spots of recorded crime and store them as a run.

    Parameters
    ----------
    core : Core
        The deployment.
    parameters : dict
        Fields of ``HotspotParameters``.
    job : JobContext
        Told of the progress; asked whether to stop.

    Returns
    -------
    dict
        ``run`` (id), ``hotspots`` (how many), months and what is missing; ``skipped`` with the reason where an
        automatic run has too few months.

    Raises
    ------
    InvalidInputError
        If too few months are held, or no crime of the categories.
    MethodError
        If the method cannot answer.
    UnavailableError
        If no boundary set is stored yet.
    """
    return _run(core, "hotspots", HotspotParameters(**parameters), job)


def run_density(core: Core, parameters: dict[str, Any], job: JobContext) -> dict[str, Any]:
    """Compute the density of recorded crime and store it as a run; as ``run_hotspots``."""
    return _run(core, "density", DensityParameters(**parameters), job)


def _run(core: Core, kind: str, parameters: PeriodParameters, job: JobContext) -> dict[str, Any]:
    try:
        period = _choose_period(core, kind, parameters)
    except InvalidInputError as error:
        if not parameters.automatic:
            raise
        return {"skipped": str(error)}
    plan = _plan(core, kind, parameters, period)
    job.progress(0.1, f"{period.months[0]} to {period.months[-1]}")
    return _compute_and_store(core, plan, period, job, make_current=parameters.make_current)


def _choose_period(core: Core, kind: str, parameters: PeriodParameters) -> Period:
    held = [
        Held(force.force, month.month, month.digest, month.rows, f"{month.imported_at:%Y-%m}")
        for force in crimes.months_held(core).forces
        for month in force.months
    ]
    least = 1 if kind == "density" and parameters.start is not None else core.settings.hotspot_min_months
    return choose_period(held, start=parameters.start, end=parameters.end, least=least)


def _plan(core: Core, kind: str, parameters: PeriodParameters, period: Period) -> RunPlan:
    """Fix everything that decides the digits."""
    outline = crs.geometry_to_metric(areas.outline_shape(core))
    chosen = parameters.model_dump(exclude=_NOT_STORED)
    chosen["categories"] = sorted(set(parameters.categories))
    chosen["cell_size_m"] = parameters.cell_size_m or core.settings.hotspot_cell_m
    if isinstance(parameters, DensityParameters):
        chosen["bandwidth_m"] = parameters.bandwidth_m or core.settings.density_bandwidth_m
    chosen["months"] = list(period.months)
    files = [{"force": file.force, "month": file.month, "digest": file.digest} for file in period.files]
    digest = results.write_outline(core.settings.data_dir, outline)
    return RunPlan(kind, chosen, {"crime_files": files, "outline": digest, "area_gss": core.area_gss})


def _read_points(core: Core, plan: RunPlan) -> Any:
    months = plan.parameters["months"]
    return crimes.crime_points(core, months[0], months[-1], plan.parameters["categories"], digests=plan.digests)


def _compute_and_store(
    core: Core, plan: RunPlan, period: Period, job: JobContext, *, make_current: bool
) -> dict[str, Any]:
    points = _read_points(core, plan)
    found = analysis.compute(plan, points, results.read_outline(core.settings.data_dir, plan.inputs["outline"]), job)
    run_id = uuid.uuid4()
    gaps = [{"force": force, "month": month} for force, month in period.gaps]
    missing = {"missing_months": list(period.missing_months), "gaps": gaps}
    extract = {"extract_months": sorted({file.taken for file in period.files})}
    run = {
        "id": run_id,
        "kind": plan.kind,
        "method": found.method,
        "parameters": plan.parameters,
        "inputs": plan.inputs,
        "code_version": analysis.code_version(),
        "summary": found.summary | missing | extract,
        "result_digest": found.digest,
        "result_path": results.write_cells(core.settings.data_dir, run_id, found.cells),
        "is_sample": core.is_demo or points.is_sample,
    }

    def put(session: Session) -> None:
        store.put_run(session, run, found.hotspots, make_current=make_current)
        if plan.kind == "hotspots" and make_current:
            on_new_run(session, run_id)

    core.store.write(put)  # the last thing: a cancel heard after it would call a stored run cancelled
    more = {"hotspots": len(found.hotspots)} if plan.kind == "hotspots" else {}
    return {"run": str(run_id), "months": len(period.months), **more, **missing}


def repeat_run(core: Core, run_id: uuid.UUID, job: JobContext | None = None) -> Repetition:
    """Compute a stored run again from its recorded inputs, whatever is current now; nothing is stored.

    Parameters
    ----------
    core : Core
        The deployment.
    run_id : UUID
        The run.
    job : JobContext, optional
        Told of the progress.

    Returns
    -------
    Repetition
        Both digests, and both versions of the code.

    Raises
    ------
    NotFoundError
        If there is no such run.
    UnavailableError
        If a file that it cites is gone.
    """
    run = _read_run(core, run_id)
    plan = RunPlan(run.kind, run.parameters, run.inputs)
    outline = results.read_outline(core.settings.data_dir, plan.inputs["outline"])
    again = analysis.compute(plan, _read_points(core, plan), outline, job or Silent())
    return Repetition(run.id, run.result_digest, again.digest, run.code_version, analysis.code_version())


# --- read ------------------------------------------------------------------------------------------------------------


def _read_run(core: Core, run_id: uuid.UUID) -> Run:
    with core.store.read() as session:
        run = store.read_run(session, run_id)
    if run is None:
        message = "There is no run with this id."
        raise NotFoundError(message)
    return run


def _view(run: Run) -> RunOut:
    fields = {name: getattr(run, name) for name in RunOut.model_fields if name != "caveats"}
    return RunOut(**fields, caveats=_caveats(run))


def _caveats(run: Run) -> list[str]:
    """Sentences that go wherever the result goes (P1, P4, P7, P8, P9)."""
    found = [SAMPLE] if run.is_sample else []
    found += [_source(run), *CAVEATS, _snapped(run.summary), RIM]
    if run.summary["missing_months"]:
        found.append(f"Months not held, and not counted: {', '.join(run.summary['missing_months'])}.")
    gaps = Counter(gap["force"] for gap in run.summary["gaps"])
    months = len(run.parameters["months"])
    if gaps:
        words = ", ".join(f"{FORCE_NAMES.get(force, force)} ({count} of {months})" for force, count in gaps.items())
        found.append(f"Forces not held in months counted: {words}.")
    return [*found, NOT_SCORED if run.kind == "hotspots" else DENSE_IS_NOT_HOT]


def _snapped(summary: dict[str, Any]) -> str:
    """Say how many cells cannot hold a point, as the run counted them."""
    cells, able = summary["cells"], summary["cells_that_can_hold_a_point"]
    start = "Points are snapped to a fixed list of places:"
    if able == cells:
        return f"{start} every cell can hold one, but never the true spot."
    return f"{start} {cells - able:,} of {cells:,} cells cannot hold one, whatever happens there."


def _source(run: Run | RunOut) -> str:
    months = ", ".join(run.summary.get("extract_months", []))
    return f"{SAMPLE_SOURCE}, made in {months}." if run.is_sample else f"{SOURCE}, {LICENCE}. Taken in {months}."


def get_run(core: Core, run_id: uuid.UUID) -> RunOut:
    """Return one run with its caveats; callers ask for the right.

    Raises
    ------
    NotFoundError
        If there is none with this id.
    """
    return _view(_read_run(core, run_id))


def list_runs(core: Core, *, kind: str | None = None, limit: int = 100) -> list[RunOut]:
    """Return the newest runs first; callers ask for the right."""
    with core.store.read() as session:
        found = store.read_runs(session, kind=kind, limit=limit)
    return [_view(run) for run in found]


def current_run(core: Core, kind: str) -> RunOut | None:
    """Return the run that maps and places use, or None where none was made yet; callers ask for the right."""
    with core.store.read() as session:
        run = store.read_current(session, kind)
    return None if run is None else _view(run)


def hotspots_of(core: Core, run_id: uuid.UUID) -> Sequence[HotspotView]:
    """Return the hot spots of a run by rank; cached, since a stored run never changes."""

    def make() -> tuple[HotspotView, ...]:
        with core.store.read() as session:
            rows = store.read_hotspots(session, run_id)
        names = [name for name in HotspotView.__slots__ if name != "geometry"]
        return tuple(
            HotspotView(geometry=shapely.from_wkb(row.geometry), **{name: getattr(row, name) for name in names})
            for row in rows
        )

    return core.cache.get(("run-hotspots", run_id), make)


def cells_of(core: Core, run_id: uuid.UUID) -> CellTable:
    """Return the cells of a run as arrays; cached.

    Raises
    ------
    NotFoundError
        If there is no such run.
    UnavailableError
        If its file is gone.
    """
    path = _read_run(core, run_id).result_path
    return core.cache.get(("run-cells", run_id), partial(results.read_cells, core.settings.data_dir, path))


def find_run(core: Core, principal: Principal, kind: str, which: str) -> RunOut:
    """Return the run that a caller names.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Who asks.
    kind : str
        hotspots or density.
    which : str
        ``current``, or the id of a run.

    Returns
    -------
    RunOut
        The run.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the principal may not read runs: the gate of P8 is not built, so none is public.
    NotFoundError
        If there is no such run of this kind.
    """
    principal.require(Right.RUNS_READ)
    run = current_run(core, kind) if which == CURRENT else get_run(core, _as_id(which))
    if run is None or run.kind != kind:
        message = f"There is no such {kind} run; start one with 'safer-places run {kind}' or POST /api/v1/runs."
        raise NotFoundError(message)
    return run


def _as_id(which: str) -> uuid.UUID:
    try:
        return uuid.UUID(which)
    except ValueError as error:
        message = f"A run is named by its id or by '{CURRENT}'."
        raise InvalidInputError(message, errors=[FieldProblem(field="run", message=message)]) from error


def hotspot_collection(core: Core, principal: Principal, which: str = CURRENT) -> HotspotCollection:
    """Return the hot spots of a run as GeoJSON with what has to be said beside them; as ``find_run``."""
    run = find_run(core, principal, "hotspots", which)
    months = run.parameters["months"]
    period = {"from": months[0], "to": months[-1], "months": months, **_missing(run)}
    return HotspotCollection(
        run=run.id,
        method=run.method,
        period=period,
        units=run.summary["units"],
        cells=run.summary["cells"],
        cells_that_can_hold_a_point=run.summary["cells_that_can_hold_a_point"],
        source=_source(run),
        caveats=run.caveats,
        is_sample=run.is_sample,
        features=[_feature(spot, len(months)) for spot in hotspots_of(core, run.id)],
    )


def _missing(run: RunOut) -> dict[str, Any]:
    return {name: run.summary[name] for name in ("missing_months", "gaps")}


def _feature(spot: HotspotView, months: int) -> HotspotFeature:
    numbers = {name: getattr(spot, name) for name in HotspotView.__slots__ if name != "geometry"}
    properties = HotspotProperties(**numbers, count_per_month=round(spot.count / months, 2))
    shape = shapely.geometry.mapping(shapely.transform(spot.geometry, lambda xy: xy.round(DECIMALS)))
    return HotspotFeature(id=spot.rank, geometry=shape, properties=properties)
