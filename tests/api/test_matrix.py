"""Every route x role x owner against the one table of rights: status, rows, fields, caches, other sites (X2, X8)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.app import create_app
from service.core import Core
from service.people.access import Principal
from service.people.models import Team
from service.places.models import Place
from service.releases.workflow import make_release
from service.settings import Settings
from service.workshops.models import Workshop
from tests.conftest import bearer
from tests.support.matrix import MATRIX, NO_SESSION, OWNERS, PATHS, ROLES, STATES, Call, sees, venue
from tests.support.squares import add_squares, at, mark
from tests.support.staff import OURS, enrol, sign_in

URL = "/api/v1/places"
HTML = {"Accept": "text/html,application/json;q=0.9"}
LIMITS = ("receipt_tries_per_minute", "sign_in_tries_per_minute", "join_tries_per_minute", "marks_per_minute")
GENEROUS: dict[str, Any] = dict.fromkeys(LIMITS, 100_000)


@dataclass(frozen=True)
class Probe:
    """A mark that is known by its words and by its position wherever they turn up."""

    id: str
    owner: str
    state: str
    word: str
    position: str


@dataclass(frozen=True)
class Filled:
    """An application of a real deployment with a mark of every owner and state."""

    client: TestClient
    probes: list[Probe]

    def call(self, route: str, one: Call, who: str) -> Any:
        """Send a call as somebody, with an API key under an agreement."""
        method, path = route.split()
        address = address_of(path, one)
        sent: dict[str, Any] = {"json": one.json() if callable(one.json) else one.json} if one.json is not None else {}
        if one.form is not None:
            sent = {"data": one.form}
        headers = OURS | HTML | (bearer(who) if who != "public" else {})
        return self.client.request(method, address, params=one.query, headers=headers, **sent)


def address_of(path: str, one: Call) -> str:
    """Fill in the parameters of a path as FastAPI writes it."""
    return path.replace(":path}", "}").format(**(PATHS | one.path))


def routes_of(app: FastAPI) -> set[str]:
    """Return method and path of every route, those outside the API description too."""

    def walk(routes: list[Any]) -> Iterator[str]:
        for route in routes:
            if hasattr(route, "original_router"):
                yield from walk(route.original_router.routes)
            elif methods := getattr(route, "methods", None):
                yield from (f"{method} {route.path}" for method in methods - {"HEAD"})

    return set(walk(list(app.routes)))


@pytest.fixture(scope="module")
def make(template_stores: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Settings]:
    import shutil

    from tests.conftest import ASSESSMENT

    folder = tmp_path_factory.mktemp("matrix") / "store"
    shutil.copytree(template_stores["real"], folder)
    return lambda: Settings(data_dir=folder, worker=False, characteristics_on=True, **ASSESSMENT, **GENEROUS)


@pytest.fixture(scope="module")
def filled(make: Callable[..., Settings]) -> Iterator[Filled]:
    """Fill a real deployment on SQLite; ``test_ownership`` asks the same queries on both engines."""
    with TestClient(create_app(make()), raise_server_exceptions=False) as client:
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        add_squares(core)
        workshops = core.store.write(_workshops)
        probes = []
        for number, (owner, state) in enumerate((owner, state) for owner in OWNERS for state in STATES):
            probes.append(_probe(client, core, workshops.get(owner), (number, owner, state)))
        make_release(core, Principal("matrix", "planner"))  # the public routes of releases have something to give away
        yield Filled(client, probes)


def _workshops(session: Any) -> dict[str, int]:
    made = {}
    for team in session.scalars(select(Team)):
        workshop = Workshop(title=team.name, team_id=team.id)
        session.add(workshop)
        session.flush()
        made[team.name] = workshop.id
    return made


def _probe(client: TestClient, core: Core, workshop: int | None, which: tuple[int, str, str]) -> Probe:
    number, owner, state = which
    longitude, latitude = (round(one, 5) for one in at(100 + 7.3 * number**2, 150 + 97 * number))
    # six decimals that do not end in a nought, and unevenly spaced: the middle of two is nowhere near a third
    position = f"{longitude + 0.000003:.6f}"
    feature = mark()
    feature["geometry"]["coordinates"] = [float(position), latitude]
    assert client.post(URL, json=feature, headers=bearer("youth_worker")).status_code == 201
    word = f"ZEBRA{number}Q"
    values: dict[str, Any] = {"workshop_id": workshop, "status": state, "note": f"a {word} b", "suggestion": word}
    values |= {"status": "approved", "kind": "border"} if state == "border" else {}
    change = update(Place).where(Place.id == uuid.UUID(feature["id"])).values(**values)
    core.store.write(lambda s: s.execute(change, execution_options={"synchronize_session": False}))
    return Probe(feature["id"], owner, state, word, position)


CALLS = [(route, number) for route, calls in MATRIX.items() for number in range(len(calls))]


@pytest.mark.requirement("X2")
def test_every_route_has_a_line_and_every_line_a_route() -> None:
    routes = routes_of(create_app(Settings()))
    assert routes - MATRIX.keys() == set(), "give each new route a line in tests/support/matrix.py"
    assert MATRIX.keys() - routes == set()


@pytest.mark.requirement("X2")
def test_api_description_and_page_list_are_all_there_is() -> None:
    app = create_app(Settings())
    described = {f"{method.upper()} {path}" for path, item in app.openapi()["paths"].items() for method in item}
    assert described <= routes_of(app)
    assert {route.split()[1].split("/")[1] for route in routes_of(app) - described} <= {
        *("", "api", "maps", "mark", "receipt", "run-a-workshop", "accessibility", "privacy", "about-data", "wards"),
        *("sign-in", "sign-out", "staff"),
        *("workshops", "j", "sw.js", "manifest.webmanifest", "queue", "lead"),
        *("releases", "findings", "what-was-found", "duty"),
    }


def test_no_number_of_what_the_matrix_sends_is_one_of_the_probes(filled: Filled) -> None:
    sent = [str(venue()["longitude"]), str(mark()["geometry"]["coordinates"][0])]
    for probe in filled.probes:
        assert not any(one.startswith(probe.position) for one in sent), "would look like a leak"


@pytest.mark.requirement("X2", "L5", "S5", "X8")
@pytest.mark.parametrize(("route", "number"), CALLS, ids=[f"{route} {number}" for route, number in CALLS])
def test_each_role_gets_what_the_table_says(filled: Filled, route: str, number: int) -> None:
    one = MATRIX[route][number]
    for who, role in ROLES.items():
        answer = filled.call(route, one, who)
        refused = 401 if who == "public" else 403
        assert answer.status_code == (one.ok if one.allows(role) else refused), f"{who}: {answer.text[:300]}"
        for probe in filled.probes:
            exact, words = sees(who, probe.owner, probe.state)
            assert words or probe.word not in answer.text, f"{who} reads words of {probe.owner} {probe.state}"
            assert exact or probe.position not in answer.text, f"{who} sees where {probe.owner} {probe.state} lies"
        expected = one.cache if one.allows(role) else "no-store"
        kept = answer.headers["cache-control"]
        assert kept.startswith("public") if expected == "public" else kept == expected, f"{who}: {kept}"


@pytest.mark.requirement("X2")
@pytest.mark.parametrize("who", [who for who, role in ROLES.items() if role not in {"public", "admin"}])
def test_list_and_map_show_all_that_a_role_may_see(filled: Filled, who: str) -> None:
    seen = {probe: sees(who, probe.owner, probe.state) for probe in filled.probes}
    listed = filled.call("GET /api/v1/places", MATRIX["GET /api/v1/places"][0], who)
    features = {feature["id"]: feature for feature in listed.json()["features"]}
    drawn = filled.call("GET /maps/data/places", MATRIX["GET /maps/data/places"][0], who).text
    for probe, (exact, words) in seen.items():
        feature = features.get(probe.id)
        assert (feature is not None) == exact, probe
        assert (probe.position in drawn) == exact, probe
        if feature is not None:
            assert feature["geometry"]["coordinates"][0] == float(probe.position)
            assert ("note" in feature["properties"]) == ("suggestion" in feature["properties"]) == words, probe


@pytest.mark.requirement("X2", "S5")
@pytest.mark.parametrize("who", ROLES)
def test_one_mark_by_its_id_is_as_hidden_as_in_the_list(filled: Filled, who: str) -> None:
    headers = bearer(who) if who != "public" else {}
    for probe in filled.probes:
        answer = filled.client.get(f"{URL}/{probe.id}", headers=headers)
        exact, words = sees(who, probe.owner, probe.state)
        hidden = {"public": 401, "admin": 403}.get(who, 404)
        assert answer.status_code == (200 if exact else hidden), probe
        assert (probe.word in answer.text) == words, probe


@pytest.mark.requirement("X2", "S5")
@pytest.mark.parametrize("who", ROLES)
def test_queue_opens_no_mark_whose_words_are_not_for_the_role(filled: Filled, who: str) -> None:
    headers = bearer(who) if who != "public" else {}
    lacks = {"public": 401, "admin": 403, "planner": 403}.get(who)
    for probe in filled.probes:
        _, words = sees(who, probe.owner, probe.state)
        for what in ("where", "others"):
            answer = filled.client.get(f"/api/v1/moderation/marks/{probe.id}/{what}", headers=headers)
            if lacks is not None or not words:
                assert answer.status_code in ({lacks} if lacks is not None else {404, 409}), (probe, what)
                assert probe.position not in answer.text, (probe, what)
            elif probe.state in {"pending", "approved"}:
                assert answer.status_code == 200, (probe, what)


@pytest.mark.requirement("X2")
@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("what", ["", "/live", "/sheet", "/form", "/paper", "/wall", "/wall/events"])
def test_workshop_is_for_its_team_and_partly_for_the_lead(filled: Filled, who: str, what: str) -> None:
    core: Core = filled.client.app.state.core  # type: ignore[attr-defined]
    with core.store.read() as session:
        identifier = session.scalar(select(Workshop.uuid).where(Workshop.title == "North team"))
    # the lead sees where a workshop is and who is in the room (S6), not what lets somebody in or shows its marks
    lead = 200 if what in {"", "/live"} else 403
    expected = {"public": 401, "youth_worker": 200, "other_worker": 404, "safeguarding_lead": lead}.get(who, 403)
    if expected == 200 and what == "/wall/events":
        return  # never ends; test_workshops_wall reads it
    headers = HTML | (bearer(who) if who != "public" else {})
    answer = filled.client.get(f"/workshops/{identifier}{what}", headers=headers)
    assert answer.status_code == expected, answer.text[:300]


@pytest.mark.requirement("X2")
def test_change_from_a_page_of_another_site_is_refused_everywhere(filled: Filled) -> None:
    core: Core = filled.client.app.state.core  # type: ignore[attr-defined]
    browser = TestClient(filled.client.app)
    for role in ("admin", "safeguarding_lead", "youth_worker"):
        assert sign_in(browser, enrol(core, role, login=f"csrf-{role}@example.org")).status_code == 303
        for route, calls in MATRIX.items():
            method, path = route.split()
            if method == "GET" or route in NO_SESSION:
                continue
            one = calls[0]
            address = address_of(path, one)
            sent: dict[str, Any] = {"json": one.json() if callable(one.json) else one.json} if one.json else {}
            sent = {"data": one.form} if one.form is not None else sent
            foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
            answer = browser.request(method, address, headers=foreign, params=one.query, **sent)
            assert answer.status_code == 403, f"{role}: {route}: {answer.status_code}"


@pytest.mark.requirement("X8")
@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/nothing", "/api/v1/places?limit=x", "/maps/data/places", "/static/x"]
)
def test_errors_are_never_kept(filled: Filled, path: str) -> None:
    for headers in ({}, HTML, bearer("planner")):
        answer = filled.client.get(path, headers=headers)
        assert answer.status_code >= 400
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.requirement("X8", "X1")
@pytest.mark.parametrize("route", [route for route in MATRIX if route.startswith("GET")])
def test_every_answer_has_the_strict_headers(filled: Filled, route: str) -> None:
    answer = filled.call(route, MATRIX[route][0], "planner")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
