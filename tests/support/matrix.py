"""Who may call what: every route of the application with the right it asks for, and a call that reaches that question.

A new route needs a line here, or ``tests/api/test_matrix.py`` fails. One line is: the method and path as FastAPI writes
it, and one or more calls. A call names the right of ``people/access.py`` that the route asks for (or EVERYBODY, or
STAFF for whoever is signed in), what to send so that nothing else is wrong with it, and the status that those get who
may (an id that nobody has gives 404, which shows that the right was asked first and granted).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from service.people.access import RIGHTS, Right
from tests.support.squares import at, mark

EVERYBODY, STAFF = "everybody", "staff"
NOBODY = str(uuid.UUID(int=0, version=4))  # an id that nothing has
NUMBER = 987_654_321
RECEIPT = "A1b2C3d4E5f6G7h8I9j0Kw"
# key of the test principals -> role in the table
ROLES = {
    "public": "public",
    "youth_worker": "youth_worker",  # of the North team
    "other_worker": "youth_worker",  # of the South team
    "moderator": "moderator",
    "safeguarding_lead": "safeguarding_lead",
    "planner": "planner",
    "admin": "admin",
}
PATHS = {
    **{"set_name": "squares", "code": "E05000001", "name": "wards", "version": "v", "z": "1", "x": "0", "y": "0"},
    **dict.fromkeys(("place_id", "run_id", "job_id", "venue_id", "finding_id", "identifier"), NOBODY),
    "number": str(NUMBER),
}


@dataclass(frozen=True)
class Call:
    """One call of a route: who may, what is sent, what they get.

    Parameters
    ----------
    needs : Right, tuple of Right or str
        A right of the table, several of which any is enough, EVERYBODY or STAFF.
    ok : int
        Status for whoever may.
    path, query : dict, optional
        Parameters of the address; those of ``PATHS`` where left out.
    json, form : dict, optional
        What is sent.
    cache : str
        What the answer says of keeping it to those who may (X8): "no-store", "no-cache", or "public" for whatever
        begins so.
    """

    needs: Right | tuple[Right, ...] | str
    ok: int = 200
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    form: dict[str, Any] | None = None
    cache: str = "no-store"

    def allows(self, role: str) -> bool:
        """Return whether the table lets the role through."""
        if self.needs == EVERYBODY:
            return True
        if self.needs == STAFF:
            return role != "public"
        any_of = self.needs if isinstance(self.needs, tuple) else (self.needs,)
        return any(right in RIGHTS[role] for right in any_of)


VENUE = (1900, 700)  # east of every mark of the test, so that no number of its position is one of theirs


def venue() -> dict[str, Any]:
    longitude, latitude = at(*VENUE)
    days = {"checked_on": "2026-06-01", "expires_on": "2099-06-01"}
    said = {"name": "Library", "kind": "library", "checked_by": "Team", "consent": True}
    return said | days | {"longitude": longitude, "latitude": latitude}


BOX = {"bbox": "-0.2,51.3,0.2,51.6", "zoom": "19"}
ACCOUNT = {"login": "", "label": "", "role": "planner"}  # nothing is made: an empty name is refused after the right
OPEN, KEPT = Call(EVERYBODY), Call(EVERYBODY, cache="public")
RELEASE = Call(EVERYBODY, path={"number": "1"})
RELEASE_KEPT = Call(EVERYBODY, path={"number": "1"}, cache="public")
NO_SEAT = Call(EVERYBODY, 401)  # devices of workshops have a seat; staff have none, whatever their rights
SENT_TO_CODE = OPEN  # without a seat: the page that asks for the code
QUEUE = (Right.MODERATE, Right.MODERATE_OWN)
ROOMS = (Right.WORKSHOPS_RUN, Right.WORKSHOPS_SEE)
DESK = {"desk": "q7Hn3xWz"}
DECISION = {"outcome": "no_action", "reason": "The worker knew already.", "then": "return"}
FINDING = {"text": "It is dark on the way to the station."}
SHARE = {"recipient": "Test council", "purpose": "better street lights"}
PAPER = {"action": "store", "boxes": "1"}

MATRIX: dict[str, list[Call]] = {
    # operation and description
    "GET /health": [OPEN],
    "GET /ready": [OPEN],
    "GET /api/v1/openapi.json": [OPEN],
    # open data: boundaries, recorded crime, names
    "GET /api/v1/boundary-sets": [OPEN],
    "GET /api/v1/boundary-sets/{set_name}": [OPEN],
    "GET /api/v1/boundary-sets/{set_name}/areas": [KEPT],
    "GET /api/v1/areas/{set_name}/{code}": [KEPT],
    "GET /api/v1/crimes/months": [OPEN],
    "GET /api/v1/crimes/summary": [OPEN],
    "GET /api/v1/crimes/series": [OPEN],
    "GET /api/v1/names": [Call(EVERYBODY, query={"q": "lady"})],
    "GET /api/v1/reasons": [KEPT],
    # marks
    "POST /api/v1/places": [Call(Right.PLACES_CREATE, 201, json=mark)],
    "GET /api/v1/places": [Call(Right.PLACES_LIST, query={"limit": "1000"})],
    "GET /api/v1/places/{place_id}": [Call(Right.PLACES_LIST, 404, path={"place_id": NOBODY})],
    "POST /api/v1/receipts/read": [Call(EVERYBODY, 404, json={"receipt": RECEIPT})],
    "POST /api/v1/receipts/correct": [Call(EVERYBODY, 404, json={"receipt": RECEIPT, "feeling": "safe"})],
    "POST /api/v1/receipts/withdraw": [Call(EVERYBODY, 404, json={"receipt": RECEIPT})],
    "GET /mark": [OPEN],  # says to the public where marking happens
    "GET /mark/list": [OPEN],
    "POST /mark/list": [Call(Right.PLACES_CREATE, form={"action": "search", "find": "x"})],
    "GET /receipt": [OPEN],
    "POST /receipt": [Call(EVERYBODY, 404, form={"receipt": RECEIPT, "action": "look"})],
    "POST /receipt/qr": [Call(EVERYBODY, json={"receipt": RECEIPT})],
    # runs and long work
    "GET /api/v1/runs": [Call(Right.RUNS_READ)],
    "GET /api/v1/runs/{run_id}": [Call(Right.RUNS_READ, 404, path={"run_id": NOBODY})],
    "POST /api/v1/runs": [Call(Right.RUNS_START, 422, json={"kind": "density"})],  # no months are held
    "GET /api/v1/hotspots": [Call(Right.RUNS_READ, 404)],
    "GET /api/v1/jobs": [Call(Right.JOBS_READ)],
    "GET /api/v1/jobs/{job_id}": [Call(Right.JOBS_READ, 404, path={"job_id": NOBODY})],
    "POST /api/v1/jobs/{job_id}/cancel": [Call(Right.RUNS_START, 404, path={"job_id": NOBODY})],
    # verified safe places
    "GET /api/v1/venues": [KEPT, Call(Right.VENUES_WRITE, query={"hidden": "true"})],
    "POST /api/v1/venues": [Call(Right.VENUES_WRITE, 201, json=venue)],
    "PATCH /api/v1/venues/{venue_id}": [Call(Right.VENUES_WRITE, 404, path={"venue_id": NOBODY}, json={})],
    "DELETE /api/v1/venues/{venue_id}": [Call(Right.VENUES_WRITE, 404, path={"venue_id": NOBODY})],
    # maps
    "GET /maps": [OPEN, Call(EVERYBODY, query={"embed": "1"}), Call(EVERYBODY, query={"measure": "marks"})],
    "GET /maps/download": [OPEN],
    "GET /maps/{name}": [
        OPEN,
        Call(EVERYBODY, path={"name": "venues"}),
        Call(Right.PLACES_EXACT, path={"name": "places"}),
        Call(Right.RUNS_READ, path={"name": "hotspots"}),
        Call(Right.RUNS_READ, path={"name": "density"}),
    ],
    "GET /maps/{name}/download": [OPEN, Call(Right.PLACES_EXACT, path={"name": "places"})],
    "GET /maps/data/places": [Call(Right.PLACES_EXACT, query=BOX)],
    "GET /maps/data/areas": [OPEN],
    "GET /maps/ground/{version}/map.pmtiles": [Call(EVERYBODY, 404)],  # none is set
    "GET /maps/ground/{version}/{z}/{x}/{y}": [Call(EVERYBODY, 404)],
    # pages for all
    "GET /": [OPEN],
    "GET /run-a-workshop": [OPEN],
    "GET /accessibility": [OPEN],
    "GET /privacy": [OPEN],
    "GET /about-data": [OPEN],
    "GET /wards": [OPEN],
    "GET /wards/{set_name}": [OPEN],
    "GET /wards/{set_name}/{code}": [OPEN],
    # staff
    "GET /sign-in": [OPEN],
    "POST /sign-in": [Call(EVERYBODY, 401, form={"login": "x", "password": "y", "code": "z"})],
    "GET /sign-in/elsewhere": [Call(EVERYBODY, 422)],  # no provider is set
    "GET /sign-in/elsewhere/back": [Call(EVERYBODY, 422)],
    "POST /sign-in/elsewhere/code": [Call(EVERYBODY, 422, form={"step": "x", "code": "y"})],
    "POST /sign-out": [OPEN],
    "GET /staff": [Call(STAFF)],
    "POST /staff/session/end": [Call(STAFF, 404, form={"number": NUMBER})],
    "POST /staff/password": [Call(STAFF, 404, form={"password": "otter lamp violet bridge"})],  # a key has none
    "POST /staff/address": [Call(STAFF, 404, form={"notify": "lead@example.org"})],  # a key has none
    "POST /staff/recovery": [Call(STAFF, 404)],
    "GET /staff/confirm": [Call(STAFF)],
    "POST /staff/confirm": [Call(STAFF, 401, form={"password": "x", "code": "y"})],  # a key has no password
    "GET /staff/invite": [OPEN],
    "POST /staff/invite": [Call(EVERYBODY, 404, form={"token": "x"})],
    "POST /staff/invite/accept": [
        Call(EVERYBODY, 404, form={"token": "x", "sealed": "x", "code": "0", "password": "otter lamp violet bridge"})
    ],
    "POST /staff/invite/elsewhere": [Call(EVERYBODY, 422, form={"token": "x"})],
    "GET /staff/accounts": [Call(Right.STAFF_MANAGE)],
    "POST /staff/accounts": [Call(Right.STAFF_MANAGE, 422, form=ACCOUNT)],
    "POST /staff/accounts/change": [Call(Right.STAFF_MANAGE, 404, form={"number": NUMBER, "role": "planner"})],
    "POST /staff/accounts/invite": [Call(Right.STAFF_MANAGE, 404, form={"number": NUMBER, "label": "x"})],
    "POST /staff/accounts/end": [Call(Right.STAFF_MANAGE, 404, form={"number": NUMBER})],
    "POST /staff/accounts/sessions/end": [Call(Right.STAFF_MANAGE, 404, form={"number": NUMBER})],
    "GET /staff/teams": [Call(Right.STAFF_MANAGE)],
    "POST /staff/teams": [Call(Right.STAFF_MANAGE, 422, form={"name": " "})],
    "POST /staff/teams/rename": [Call(Right.STAFF_MANAGE, 404, form={"number": NUMBER, "name": "x"})],
    "GET /staff/keys": [Call(Right.STAFF_MANAGE)],
    "POST /staff/keys": [Call(Right.STAFF_MANAGE, 422, form={"label": " ", "role": "planner", "scopes": "jobs.read"})],
    "POST /staff/keys/revoke": [Call(Right.STAFF_MANAGE, 404, form={"number": NUMBER})],
    "GET /staff/audit": [Call(Right.AUDIT_READ)],
    # workshops as staff see them
    "GET /workshops": [Call(ROOMS)],
    "POST /workshops/find": [Call(ROOMS, 404, form={"code": "otter lamp violet"})],
    "GET /workshops/new": [Call(Right.WORKSHOPS_RUN)],
    "POST /workshops/new": [Call(Right.WORKSHOPS_RUN, 422, form={"title": "x"})],  # no times: nothing is made
    "GET /workshops/{identifier}": [Call(ROOMS, 404)],
    "POST /workshops/{identifier}": [Call(ROOMS, 404, form={"action": "end"})],
    "GET /workshops/{identifier}/live": [Call(ROOMS, 404)],
    "GET /workshops/{identifier}/sheet": [Call(Right.WORKSHOPS_RUN, 404)],
    "GET /workshops/{identifier}/form": [Call(Right.WORKSHOPS_RUN, 404)],
    "GET /workshops/{identifier}/paper": [Call(Right.WORKSHOPS_RUN, 404)],
    "POST /workshops/{identifier}/paper": [Call(Right.WORKSHOPS_RUN, 404, form=PAPER)],
    "GET /workshops/{identifier}/wall": [Call(Right.WORKSHOPS_RUN, 404)],
    "GET /workshops/{identifier}/wall/events": [Call(Right.WORKSHOPS_RUN, 404)],
    # workshops as devices see them
    "POST /api/v1/workshop/join": [Call(EVERYBODY, 404, json={"code": "otter lamp violet"})],
    "GET /api/v1/workshop": [NO_SEAT],
    "POST /api/v1/workshop/places": [Call(EVERYBODY, 401, json=mark)],
    "POST /api/v1/workshop/unsent": [Call(EVERYBODY, 401, json={"unsent": 1})],
    "POST /api/v1/workshop/leave": [Call(EVERYBODY, 204)],
    "POST /api/v1/open/places": [Call(EVERYBODY, 403, json=mark)],  # marking without a code is off
    "POST /api/v1/words/check": [Call(EVERYBODY, json={"texts": ["It is dark here"]})],
    "POST /api/v1/sealed": [Call(EVERYBODY, json={"marks": [], "held": []})],
    "GET /j": [OPEN],
    "POST /j": [Call(EVERYBODY, 404, form={"code": "otter lamp violet"})],
    "GET /j/mark": [SENT_TO_CODE],
    "GET /j/list": [SENT_TO_CODE],
    "POST /j/list": [Call(EVERYBODY, form={"action": "search", "find": "x"})],  # SENT_TO_CODE too
    "GET /j/done": [OPEN],
    "POST /j/leave": [OPEN],
    "GET /j/about-you": [NO_SEAT],
    "POST /j/about-you": [Call(EVERYBODY, 401, form={"action": "send", "age_band": "x"})],
    "GET /j/app/{version}/{name:path}": [Call(EVERYBODY, 404)],  # another version than the one that runs
    "GET /manifest.webmanifest": [KEPT],
    "GET /sw.js": [Call(EVERYBODY, cache="no-cache")],  # may be kept, and is asked for each time
    # moderation
    "GET /queue": [Call(QUEUE)],
    "GET /queue/second": [Call(Right.SECOND_LOOK)],
    "POST /queue/second/{number}": [Call(Right.SECOND_LOOK, 404, form={"act": "approve"})],
    "GET /queue/agreement": [Call(Right.MODERATE)],
    "GET /lead": [Call(Right.LEAD_DECIDE)],
    "POST /lead/{number}": [Call(Right.LEAD_DECIDE, 404, form=DECISION)],
    "POST /api/v1/moderation/next": [Call(QUEUE, json=DESK)],
    "POST /api/v1/moderation/give-back": [Call(QUEUE, 204, json=DESK)],
    "POST /api/v1/moderation/marks/{place_id}/keep": [Call(QUEUE, 409, json=DESK)],  # nobody's lease is lost
    "POST /api/v1/moderation/marks/{place_id}/decide": [
        Call(QUEUE, 404, json=DESK | {"act": "reject", "version": 1, "reason": "no_place"})
    ],
    "POST /api/v1/moderation/marks/{place_id}/hold": [Call(QUEUE, 404)],
    "GET /api/v1/moderation/marks/{place_id}/where": [Call(QUEUE, 404)],
    "GET /api/v1/moderation/marks/{place_id}/others": [Call(QUEUE, 404)],
    "GET /api/v1/moderation/decisions": [Call(QUEUE)],
    "POST /api/v1/moderation/decisions/{number}/undo": [Call(QUEUE, 404)],
    "GET /api/v1/moderation/second": [Call(Right.SECOND_LOOK)],
    "POST /api/v1/moderation/second/{number}": [Call(Right.SECOND_LOOK, 404, json={"act": "approve"})],
    "GET /api/v1/moderation/agreement": [Call(Right.MODERATE)],
    "GET /api/v1/moderation/holds": [Call(Right.LEAD_DECIDE)],
    "POST /api/v1/moderation/holds/{number}/decide": [Call(Right.LEAD_DECIDE, 404, json=DECISION)],
    # releases
    "GET /what-was-found": [OPEN],
    "GET /what-was-found/releases": [OPEN],
    "GET /what-was-found/releases/{number}": [RELEASE],
    "GET /what-was-found/releases/{number}/map": [RELEASE],
    "GET /api/v1/releases": [OPEN],
    "GET /api/v1/releases/current": [RELEASE_KEPT],
    "GET /api/v1/releases/current/areas.geojson": [RELEASE_KEPT],
    "GET /api/v1/releases/current/table.csv": [RELEASE_KEPT],
    "GET /api/v1/releases/{number}": [RELEASE_KEPT],
    "GET /api/v1/releases/{number}/areas.geojson": [RELEASE_KEPT],
    "GET /api/v1/releases/{number}/table.csv": [RELEASE_KEPT],
    "GET /releases": [Call(Right.RELEASES_READ)],
    "POST /releases": [Call(Right.RELEASES_MAKE)],
    "GET /findings": [Call(Right.FINDINGS_WRITE)],
    "POST /findings": [Call(Right.FINDINGS_WRITE, form=FINDING)],
    "POST /findings/{finding_id}": [Call(Right.FINDINGS_WRITE, 404, form={"status": "ready"})],
    "GET /api/v1/findings": [Call(Right.FINDINGS_WRITE)],
    "POST /api/v1/findings": [Call(Right.FINDINGS_WRITE, 201, json=FINDING)],
    "PUT /api/v1/findings/{finding_id}/status": [Call(Right.FINDINGS_WRITE, 404, json={"status": "ready"})],
    # duty
    "GET /duty": [Call(Right.DUTY_SET)],
    "POST /duty": [Call(Right.DUTY_SET, 404, form={"action": "remove", "number": NUMBER})],
    "GET /staff/retention": [Call(Right.RETENTION_RUN)],
    "POST /staff/retention": [Call(Right.RETENTION_RUN)],
    "GET /staff/shares": [Call(Right.AUDIT_READ)],
    "POST /api/v1/exports/places": [
        Call(Right.MARK_COUNTS, json=SHARE),
        Call(Right.EXPORT_EXACT, json=SHARE | {"detail": "exact", "agreement_id": "TEST-AGREEMENT"}),
    ],
    "GET /staff/participation": [Call(Right.CHARACTERISTICS_COUNT)],
    "GET /api/v1/characteristics/counts": [Call(Right.CHARACTERISTICS_COUNT)],
    "GET /privacy/easy-read": [OPEN],
}
# Routes that ask for nothing of the session, so that a page of another site can do no harm by sending it along.
NO_SESSION = {
    *("POST /api/v1/receipts/read", "POST /api/v1/receipts/correct", "POST /api/v1/receipts/withdraw"),
    # neither session nor seat: what is sent is all that is looked at
    *("POST /api/v1/open/places", "POST /api/v1/words/check", "POST /api/v1/sealed"),
}

# --- marks: who sees which of them, and how much; by hand from product.md 1 and 4, not from the table under test -----

OWNERS = ("North team", "South team", "")
STATES = ("pending", "approved", "held", "rejected", "border")
TEAM_OF = {"youth_worker": "North team", "other_worker": "South team"}


def sees(who: str, owner: str, state: str) -> tuple[bool, bool]:
    """Return whether somebody sees a mark exactly, and whether they read its words."""
    role = ROLES[who]
    if role == "safeguarding_lead":
        return True, True
    if role == "moderator":
        shown = state in {"pending", "approved", "rejected"}
        return shown, shown
    if role == "planner":
        return state == "approved", False
    if role == "youth_worker":
        own = bool(owner) and owner == TEAM_OF[who] and state in {"pending", "approved", "rejected"}
        return own or state == "approved", own
    return False, False
