"""Many places at once: the sample of the demo, and marks that another tool took."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, Literal

from pydantic import Field, ValidationError
from sqlalchemy.orm import Session

from service.core import Core
from service.errors import FieldProblem, InvalidInputError
from service.places import store
from service.places.checks import Draft, check_many
from service.places.joining import Joiner
from service.places.schemas import PlaceIn, PlaceProperties
from service.places.state import contributor_hash, insert_derived, position_values, require_state, with_joiner
from service.store.spatial import index_geometries

CHUNK = 5_000


class ImportProperties(PlaceProperties):
    """A mark made elsewhere or before: it brings its day and state."""

    day: date = Field(description="Day it was made.")
    status: Literal["pending", "held", "approved", "rejected"] = Field(default="pending", description="State.")


class ImportPlace(PlaceIn):
    """A mark of an import, as a GeoJSON Feature."""

    properties: ImportProperties = Field(description="How it feels, when and why.")


@dataclass(slots=True)
class Imported:
    """What became of an import.

    Attributes
    ----------
    stored : int
        Places that are new.
    known : int
        Places whose id was stored before.
    rejected : list of (int, list of FieldProblem)
        Place in the input, from 0, and what was wrong with it.
    """

    stored: int = 0
    known: int = 0
    rejected: list[tuple[int, list[FieldProblem]]] = field(default_factory=list)


def import_places(
    core: Core,
    features: Iterable[Mapping[str, Any]],
    *,
    source: str = "import",
    tell: Callable[[int], None] | None = None,
) -> Imported:
    """Store many places, each checked and joined as one that arrives alone.

    Parameters
    ----------
    core : Core
        The deployment; in a real one neither words nor borders are taken.
    features : iterable of mapping
        GeoJSON Features as ``POST /api/v1/places`` takes them, whose properties also hold ``day`` and may hold
        ``status``; read in chunks, so it may be long.
    source : str
        Where they come from: import, demo.
    tell : callable of int, optional
        Told after each chunk how many were read.

    Returns
    -------
    Imported
        Counts and the refused ones.
    """
    result = Imported()
    workshops: dict[uuid.UUID, int | None] = {}
    numbered = enumerate(features)
    while chunk := list(islice(numbered, CHUNK)):
        places = _parse(chunk, result)
        _find_workshops(core, places, workshops)
        _import_chunk(core, places, workshops, source, result)
        if tell is not None:
            tell(chunk[-1][0] + 1)
    return result


def _parse(chunk: list[tuple[int, Mapping[str, Any]]], result: Imported) -> list[tuple[int, ImportPlace]]:
    places = []
    for number, feature in chunk:
        try:
            places.append((number, ImportPlace.model_validate(feature)))
        except ValidationError as error:
            problems = [
                FieldProblem(field=".".join(map(str, item["loc"])), message=item["msg"])
                for item in error.errors(include_input=False, include_url=False)
            ]
            result.rejected.append((number, problems))
    return places


def _find_workshops(core: Core, places: list[tuple[int, ImportPlace]], workshops: dict[uuid.UUID, int | None]) -> None:
    wanted = {place.properties.workshop for _, place in places if place.properties.workshop} - workshops.keys()
    if wanted:
        with core.store.read() as session:
            workshops |= {identifier: store.find_workshop(session, identifier) for identifier in wanted}


def _import_chunk(
    core: Core,
    places: list[tuple[int, ImportPlace]],
    workshops: dict[uuid.UUID, int | None],
    source: str,
    result: Imported,
) -> None:
    def attempt(joiner: Joiner) -> tuple[int, int, list[tuple[int, list[FieldProblem]]]]:
        drafts = check_many(core, [place for _, place in places], joiner.outline)
        good = [(place, draft) for (_, place), draft in zip(places, drafts, strict=True) if isinstance(draft, Draft)]
        refused = [
            (number, draft.errors)
            for (number, _), draft in zip(places, drafts, strict=True)
            if isinstance(draft, InvalidInputError)
        ]
        derived = joiner.join_many([draft.shape.metric for _, draft in good])
        rows = [_row(core, place, draft, workshops, source) for place, draft in good]

        def write(session: Session) -> int:
            require_state(session, joiner.state)
            new = store.find_new(session, [row["id"] for row in rows])
            kept = list({row["id"]: at for at, row in enumerate(rows) if row["id"] in new}.values())
            seqs = store.insert_places(session, [rows[at] for at in kept])
            insert_derived(session, [(seq, derived[at]) for seq, at in zip(seqs, kept, strict=True)])
            shapes = [(seq, good[at][1].shape.wgs84) for seq, at in zip(seqs, kept, strict=True)]
            index_geometries(session, "place", shapes)
            return len(kept)

        stored = core.store.write(write)
        return stored, len(rows) - stored, refused

    (stored, known, refused), _ = with_joiner(core, attempt)
    result.stored += stored
    result.known += known
    result.rejected += refused


def _row(
    core: Core, place: ImportPlace, draft: Draft, workshops: dict[uuid.UUID, int | None], source: str
) -> dict[str, Any]:
    properties = place.properties
    plain = ("people", "day", "kind", "feeling", "times", "reasons", "status", "publish")
    meeting = str(properties.workshop or properties.day)
    return (
        {name: getattr(properties, name) for name in plain}
        | position_values(draft.shape.wgs84)
        | {
            "id": place.id or properties.id or uuid.uuid4(),
            "request_hash": "",
            "workshop_id": workshops.get(properties.workshop) if properties.workshop else None,
            "contributor_key": contributor_hash(core, properties.contributor_key, meeting),
            "note": draft.note,
            "suggestion": draft.suggestion,
            "public_text": None,
            "withdrawn_on": None,
            "source": source,
            "version": 1,
            "is_sample": core.is_demo,
        }
    )
