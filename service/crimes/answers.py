"""Turn rows of the store into answers: missing is missing, and every number says where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from geo.columns import OUTSIDE
from geo.crimes import (
    CATEGORIES,
    CAVEATS,
    FORCE_NAMES,
    LICENCE,
    RECORDING_BREAKS,
    SAMPLE_LICENCE,
    SAMPLE_SOURCE,
    SOURCE,
    TRANSPORT_POLICE,
    Key,
    missing_months,
    month_range,
)
from service.crimes.models import CrimeFile
from service.crimes.schemas import (
    AreaSummary,
    CategoryNote,
    ForceHeld,
    MonthCount,
    MonthHeld,
    MonthsAnswer,
    Provenance,
    Rule,
    SeriesBreak,
)

SAMPLE_CAVEAT = "Sample data made by a simulation: no number here is real."
AREA_CAVEAT = "The files cover the area that the police API was asked for; areas beyond it are not complete."


def provenance(files: Sequence[CrimeFile], more: Iterable[str] = ()) -> Provenance:
    """Say where files come from.

    Parameters
    ----------
    files : sequence of CrimeFile
        The files used.
    more : iterable of str
        Further caveats; blank ones are left out.
    """
    is_sample = any(file.is_sample for file in files)
    extents = sorted({file.extent for file in files})
    first = [SAMPLE_CAVEAT] if is_sample else []
    partial = [AREA_CAVEAT] if any(extent != "force" for extent in extents) else []
    return Provenance(
        source=SAMPLE_SOURCE if is_sample else SOURCE,
        licence=SAMPLE_LICENCE if is_sample else LICENCE,
        extract_months=sorted({f"{file.imported_at:%Y-%m}" for file in files}),
        extents=extents,
        is_sample=is_sample,
        caveats=[*first, *CAVEATS, *partial, *(text for text in more if text)],
    )


def held_keys(files: Iterable[CrimeFile]) -> set[Key]:
    """Return force and month of each file."""
    return {(file.force, file.month) for file in files}


def months_answer(files: Sequence[CrimeFile]) -> MonthsAnswer:
    """List what is held, force by force, and what is missing between the first and the last month of all."""
    months = sorted({file.month for file in files})
    forces = sorted({file.force for file in files})
    missing = missing_months(held_keys(files), forces=forces, first=months[0], last=months[-1]) if months else {}
    return MonthsAnswer(
        first=months[0] if months else None,
        last=months[-1] if months else None,
        forces=[_force_held(force, files, missing) for force in sorted({*forces, *missing})],
        categories=[CategoryNote(slug=c.slug, name=c.name, note=c.note) for c in CATEGORIES],
        provenance=provenance(files),
    )


def _force_held(force: str, files: Sequence[CrimeFile], missing: Mapping[str, list[str]]) -> ForceHeld:
    return ForceHeld(
        force=force,
        name=FORCE_NAMES.get(force, force),
        months=[MonthHeld.model_validate(file, from_attributes=True) for file in files if file.force == force],
        missing=missing.get(force, []),
    )


class Gaps:
    """Which months of the local forces are missing in a period.

    Parameters
    ----------
    held : set of (str, str)
        Keys held.
    forces : set of str
        Local forces; the transport police are looked for too.
    first, last : str
        The period.
    """

    def __init__(self, held: set[Key], forces: set[str], first: str, last: str) -> None:
        self.months = month_range(first, last)
        self.missing = missing_months(held, forces=forces, first=first, last=last)
        self._local = forces - {TRANSPORT_POLICE}

    def missing_forces(self, month: str) -> list[str]:
        """Return the forces that are not held in a month."""
        return [force for force, months in self.missing.items() if month in months]

    def is_complete(self, month: str) -> bool:
        """Return whether every local force is held; the transport police may be missing, and are then named."""
        return bool(self._local) and not self._local.intersection(self.missing_forces(month))

    @property
    def complete(self) -> int:
        """Months in which every local force is held."""
        return sum(self.is_complete(month) for month in self.months)


AreaCounts = Mapping[str, tuple[int, int, int]]  # in polygon, nearest centre, near a line


def area_summary(area: tuple[str, str, float, int | None], counts: AreaCounts | None, rule: Rule) -> AreaSummary:
    """Summarise one area: code, name, km2 and residents; ``counts`` None where nothing is held."""
    code, name, area_km2, residents = area
    polygon, nearest, near = (None, None, None) if counts is None else counts.get(code, (0, 0, 0))
    return AreaSummary(
        area_gss=code,
        name=name,
        count=polygon if rule == "polygon" else nearest,
        polygon=polygon,
        nearest=nearest,
        near_line_share=_share(near, polygon),
        area_km2=area_km2,
        residents=residents,
        source="police-points",
    )


def near_line_share(counts: AreaCounts) -> float | None:
    """Share of the points in all areas that lie near an edge; what is outside is left out."""
    inside = [count for code, count in counts.items() if code != OUTSIDE]
    return _share(sum(count[2] for count in inside), sum(count[0] for count in inside))


def _share(part: int | None, whole: int | None) -> float | None:
    return round(part / whole, 4) if part is not None and whole else None


def month_counts(rows: Iterable[tuple[str, str, int, int]], gaps: Gaps, rule: Rule) -> list[MonthCount]:
    """Fill every month of the period: a number where every local force is held, else null."""
    found: dict[str, dict[str, int]] = {month: {} for month in gaps.months}
    for month, category, polygon, nearest in rows:
        count = polygon if rule == "polygon" else nearest
        if count:
            found[month][category] = count
    return [
        MonthCount(
            month=month,
            count=sum(categories.values()) if gaps.is_complete(month) else None,
            categories=dict(sorted(categories.items())) if gaps.is_complete(month) else {},
            missing_forces=gaps.missing_forces(month),
        )
        for month, categories in found.items()
    ]


def breaks_between(forces: set[str], first: str, last: str) -> list[SeriesBreak]:
    """List the recording changes of the forces within a period."""
    return [
        SeriesBreak(month=item.month, force=item.force, note=item.note)
        for item in RECORDING_BREAKS
        if item.force in forces and first <= item.month <= last
    ]
