"""From marks to the content of a release: read, disclose, name. Nothing is stored here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pandas as pd

from geo import crs
from geo.disclosure import METHOD, Disclosed, Memory, Partition, Rules, disclose
from geo.disclosure_cells import MARK_COLUMNS
from geo.ward_unions import unite_wards
from service.actions import workflow as actions
from service.areas import workflow as areas
from service.core import Core
from service.errors import UnavailableError
from service.places import workflow as places
from service.releases.schemas import (
    HIDDEN,
    AreaOut,
    CellOut,
    FindingOut,
    PartitionOut,
    ReleaseContent,
    RulesOut,
)  # fmt: skip

COLUMNS: Final = [*MARK_COLUMNS, "kind"]


@dataclass(frozen=True, slots=True)
class Made:
    """A release that could be stored.

    Attributes
    ----------
    content : ReleaseContent
        What the public would read.
    disclosed : Disclosed
        What staff and the next release need besides.
    """

    content: ReleaseContent
    disclosed: Disclosed


def rules_of(core: Core) -> Rules:
    """Return the thresholds that the settings name."""
    given = core.settings
    return Rules(
        given.release_people_min, given.release_workshops_min, given.release_others_min, given.release_base,
        given.release_interval_min,
    )  # fmt: skip


def make(core: Core, *, number: int, memory: Memory | None, today: date | None = None) -> Made:
    """Make a release of the marks and findings of now.

    Parameters
    ----------
    core : Core
        The deployment.
    number : int
        Its number.
    memory : Memory or None
        What the release before left.
    today : date, optional
        Day it is made; the clock's where left out.

    Returns
    -------
    Made
        Not stored. The same marks, findings and memory give the same content; computed once and cached.

    Raises
    ------
    UnavailableError
        If there are no wards yet, or marks are still being joined to them.
    DisclosureError
        If the table could not be made safe.
    """
    view = areas.default_set(core)
    if view.level != "ward" or not view.join_points:
        message = "Releases speak of wards: the default boundary set is not one of wards that marks are joined to."
        raise UnavailableError(message)
    earlier = {one.partition.set_name for one in memory.older} | {memory.partition.set_name} if memory else set()
    marks = places.marks_for_release(core, view.name, sorted(earlier - {view.name}))
    rules = rules_of(core)
    key = ("release", number, _fingerprint(marks, memory, view.digest), rules)

    def compute() -> Disclosed:
        frame = pd.DataFrame(marks, columns=COLUMNS)
        return disclose(
            frame, _partition(core, view.name), reasons=_reasons(), rules=rules, number=number, memory=memory
        )

    disclosed = core.cache.get(key, compute)
    return Made(_content(core, view, disclosed, rules, number, today or places.today()), disclosed)


def _fingerprint(marks: list[dict[str, Any]], memory: Memory | None, digest: str) -> str:
    stored = memory.to_json() if memory else None
    return hashlib.sha256(json.dumps([marks, stored, digest], sort_keys=True).encode()).hexdigest()


def _reasons() -> dict[str, list[str]]:
    """Return the reasons that fit each feeling; 'it depends' has too few people for reasons of its own."""
    known = places.reasons_by_code()
    return {feeling: [code for code, one in known.items() if one.fits(feeling)] for feeling in ("safe", "unsafe")}


def _partition(core: Core, set_name: str) -> Partition:
    shapes = areas.area_shapes(core, set_name)
    points = [crs.geometry_to_metric(shape.representative_point()) for shape in shapes.geometries]
    size = core.settings.release_union_wards
    codes = shapes.codes.tolist()
    return Partition(set_name, unite_wards(codes, [at.x for at in points], [at.y for at in points], size=size))


def _content(
    core: Core, view: Any, disclosed: Disclosed, rules: Rules, number: int, today: date
) -> ReleaseContent:  # fmt: skip
    areas_out = _areas(core, disclosed.partition)
    names = {area.code: area.name for area in areas_out}
    rows = disclosed.table.astype(object).where(disclosed.table.notna(), None)
    cells = [CellOut(**row) for row in rows.to_dict("records")]
    found = [
        FindingOut(text=one.text, theme=one.theme, area=one.area, area_name=names.get(one.area, ""))
        for one in actions.findings_for_release(core, view.name)
    ]
    return ReleaseContent(
        number=number,
        made_on=today,
        borough=core.area_name,
        is_sample=core.is_demo,
        rules=RulesOut(
            method=METHOD, people_min=rules.people_min, workshops_min=rules.workshops_min, others_min=rules.others_min,
            base=rules.base, interval_min=rules.interval_min,
        ),
        partition=PartitionOut(
            set=view.name, title=view.title, source=view.source, licence=view.licence, approximate=view.approximate,
            areas=areas_out,
        ),
        reasons={code: reason.label for code, reason in places.reasons_by_code().items()},
        cells=cells,
        hidden=disclosed.hidden,
        hidden_because=HIDDEN,
        findings=found,
    )  # fmt: skip


def _areas(core: Core, partition: Partition) -> list[AreaOut]:
    shapes = areas.area_shapes(core, partition.set_name)
    names = dict(zip(shapes.codes.tolist(), shapes.names.tolist(), strict=True))
    found = [
        AreaOut(code=code, name=_and([names[ward] for ward in wards]), level="union", wards=list(wards), union=code)
        for code, wards in partition.unions.items()
    ]
    of = partition.union_of
    return found + [
        AreaOut(code=ward, name=names[ward], level="ward", wards=[ward], union=of[ward]) for ward in partition.wards
    ]


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
