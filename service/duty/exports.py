"""Onward shares: coarse by default, exact only under a recorded agreement, each in the ledger (L8)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import shapely
from sqlalchemy.orm import Session

from service.areas import workflow as areas
from service.core import Core
from service.duty import store
from service.duty.export_files import MEDIA, to_file
from service.duty.models import Share
from service.duty.schemas import ExportRequest
from service.errors import ForbiddenError
from service.people.access import OPERATOR, Principal, Right
from service.people.audit import record
from service.people.workflow import require_fresh
from service.places import workflow as places
from service.releases import workflow as releases
from service.store.base import utc_now

PAGE: Final = 1_000
FEELINGS: Final = ("safe", "unsafe", "mixed")
# What is read for a file: what a planner sees of approved marks. No words and no borders, whoever asks (L5, E5).
READER_ROLE: Final = "planner"
EXACT: Final = ("day", "kind", "feeling", "times", "reasons", "people")
USE: Final = (
    "For the stated recipient and purpose only. Not for identifying or stopping any person, not for enforcement "
    "against those who marked, not to be passed on. Delete when the purpose is met."
)


@dataclass(frozen=True)
class ExportFile:
    """A file, how to name it, and its row in the ledger."""

    content: bytes
    name: str
    media_type: str
    rows: int
    digest: str


def export_places(core: Core, principal: Principal, wanted: ExportRequest) -> ExportFile:
    """Make a file of marks for a recipient and record the share.

    Parameters
    ----------
    core : Core
        The deployment.
    principal : Principal
        Staff with the right, a program whose key has an agreement, or whoever may read the data folder.
    wanted : ExportRequest
        Recipient, purpose, agreement, detail and format.

    Returns
    -------
    ExportFile
        The file; the ledger has a row with its digest.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not share, or asks for exact places without an agreement.
    ConfirmFirstError
        If a session asks for exact places and password and code were not given a short while ago (X5).
    UnavailableError
        If there are no wards yet.
    """
    is_exact = wanted.detail == "exact"
    _require(principal, wanted, is_exact=is_exact)
    if is_exact:
        require_fresh(core, principal)
    features = exact_features(core, principal.id) if is_exact else ward_features(core)
    statement = _statement(core, wanted)
    content = to_file(features, statement, wanted.format)
    digest = hashlib.sha256(content).hexdigest()
    fields = sorted({name for one in features for name in one["properties"]} | ({"geometry"} if is_exact else set()))
    share = {
        "at": utc_now(),
        "actor": principal.id,
        "recipient": wanted.recipient,
        "purpose": wanted.purpose,
        "agreement_id": wanted.agreement_id,
        "fields": fields,
        "rows": len(features),
        "digest": digest,
    }

    def write(session: Session) -> None:
        store.add_share(session, share)
        record(
            session,
            core,
            principal,
            f"export.{wanted.detail}",
            rows=len(features),
            agreement=wanted.agreement_id or None,
        )

    core.store.write(write)
    name = f"safer-places-{wanted.detail}-{digest[:8]}.{wanted.format}"
    return ExportFile(content, name, MEDIA[wanted.format], len(features), digest)


def _require(principal: Principal, wanted: ExportRequest, *, is_exact: bool) -> None:
    if not principal.is_staff:  # not the demo's visitors either: what they write would stand in the ledger
        principal.require(Right.EXPORT_EXACT)
    if not is_exact:
        if principal != OPERATOR:
            principal.require(Right.MARK_COUNTS)
        return
    if principal != OPERATOR:
        principal.require(Right.EXPORT_EXACT)
    if not wanted.agreement_id:
        message = "Exact places are shared under a recorded agreement only: give its reference as agreement_id."
        raise ForbiddenError(message)
    if principal.is_key and principal.agreement_id != wanted.agreement_id:
        message = "This key belongs to another agreement than the one named."
        raise ForbiddenError(message)


def _statement(core: Core, wanted: ExportRequest) -> dict[str, str]:
    return {
        "use": USE,
        "recipient": wanted.recipient,
        "purpose": wanted.purpose,
        "agreement": wanted.agreement_id or "none: counts by ward only",
        "from": core.settings.controller or "a demo with made-up data",
        "made": f"{utc_now():%Y-%m-%d}",
        "caveat": "Marked by young people; no measure of recorded crime. Sample data."
        if core.is_demo
        else ("Marked by young people; no measure of recorded crime."),
    }


def exact_features(core: Core, actor: str) -> list[dict[str, Any]]:
    """Return approved marks that may count, with their position, without words, borders or ids."""
    reader = Principal(actor, READER_ROLE)
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page, after = places.list_places(
            core, reader, places.PlaceFilter(status="approved", publish="count"), after=after, limit=PAGE
        )
        found += [one for one in page if _may_leave(one)]
    return [
        {
            "type": "Feature",
            "geometry": one["geometry"],
            "properties": {name: one["properties"][name] for name in EXACT},
        }
        for one in found
    ]


def _may_leave(feature: dict[str, Any]) -> bool:
    properties = feature["properties"]
    return feature["geometry"] is not None and properties["publish"] == "count" and properties["kind"] != "border"


def ward_features(core: Core) -> list[dict[str, Any]]:
    """Return every ward with the counts of people by feeling that the current release gives; no other number leaves.

    A second way of counting beside the releases could be subtracted from them (D3, D4, D7).

    Raises
    ------
    UnavailableError
        If there are no wards yet.
    """
    wards = areas.default_set(core)
    shapes = areas.area_shapes(core, wards.name)
    release = releases.current_or_none(core)
    fits = release is not None and release.partition.set == wards.name
    counts = {(cell.area, cell.feeling): cell.people for cell in release.cells if not cell.item} if release else {}
    features = []
    for code, name, shape in zip(shapes.codes.tolist(), shapes.names.tolist(), shapes.geometries, strict=True):
        numbers = {f"people_{key}": counts.get((code, key)) if fits else None for key in FEELINGS}
        enough = any(number is not None for number in numbers.values())
        values = {"area_gss": code, "name": name, **numbers, "note": "" if enough else "not enough people yet"}
        values["release"] = release.number if release is not None else None
        features.append({"type": "Feature", "geometry": json.loads(shapely.to_geojson(shape)), "properties": values})
    return features


def list_shares(core: Core, principal: Principal) -> Sequence[Share]:
    """Return the ledger, the newest share first.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller may not read the audit.
    """
    principal.require(Right.AUDIT_READ)
    return read_ledger(core)


def read_ledger(core: Core) -> Sequence[Share]:
    """Return the ledger, the newest share first, for whoever may read the data folder."""
    with core.store.read() as session:
        return store.read_shares(session, 500)
