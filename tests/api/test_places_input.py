"""What a mark may not be: each refusal is a 422 that names the field, says what to do and repeats nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import bearer
from tests.support.squares import add_squares, at, drawn, mark

URL = "/api/v1/places"


@pytest.fixture
def demo(demo_client: TestClient) -> TestClient:
    add_squares(demo_client.app.state.core)  # type: ignore[attr-defined]
    return demo_client


def moved(feature: dict[str, Any], coordinates: Any) -> dict[str, Any]:
    return feature | {"geometry": feature["geometry"] | {"coordinates": coordinates}}


def refused(answer: Any, field: str, words: str = "") -> None:
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    found = {error["field"]: error["message"] for error in problem["errors"]}
    assert field in found, found
    assert words.lower() in found[field].lower()


PROPERTIES = [
    ({"feeling": "angry"}, "properties.feeling", "safe"),
    ({"kind": "circle"}, "properties.kind", "point"),
    ({"times": ["night", "noon"]}, "properties.times[1]", "night"),
    ({"times": ["night", "night"]}, "properties.times[1]", "twice"),
    ({"reasons": ["poor_lighting", "ghosts"]}, "properties.reasons[1]", "no such reason"),
    ({"reasons": ["calm"]}, "properties.reasons[0]", "does not fit"),
    ({"reasons": ["drugs", "drugs"]}, "properties.reasons[1]", "twice"),
    ({"note": "x" * 501}, "properties.note", "at most 500"),
    ({"suggestion": "x" * 501}, "properties.suggestion", "at most 500"),
    ({"note": "a\x00b"}, "properties.note", "U+0000"),
    ({"note": "a\x1bb"}, "properties.note", "U+001B"),
    ({"note": "a\u202eb"}, "properties.note", "U+202E"),
    ({"note": "a\u200bb"}, "properties.note", "U+200B"),
    ({"note": "a\u2066b"}, "properties.note", "U+2066"),
    ({"note": "a\ufeffb"}, "properties.note", "U+FEFF"),
    ({"people": 0}, "properties.people", "1"),
    ({"people": 31}, "properties.people", "30"),
    ({"people": 1.5}, "properties.people", "integer"),
    ({"contributor_key": "short"}, "properties.contributor_key", "pattern"),
    ({"publish": "everywhere"}, "properties.publish", "count"),
    ({"workshop": "2f1f3f1e-8c0a-4d5e-9a53-2f6f0f5f9a11"}, "properties.workshop", "no such workshop"),
    ({"name": "Sam"}, "properties", "not known"),
    ({"school": "Hill School"}, "properties", "not known"),
]


@pytest.mark.parametrize(("properties", "field", "words"), PROPERTIES)
def test_property_that_cannot_be_taken_is_named(
    demo: TestClient, properties: dict[str, Any], field: str, words: str
) -> None:
    refused(demo.post(URL, json=mark(**properties)), field, words)


GEOMETRIES = [
    (moved(mark(), list(reversed(at(500, 500)))), "swapped"),
    (mark(-501.0, 500), "outside the borough"),
    (moved(mark(), [2.35, 48.86]), "outside the borough"),
    (moved(mark(), [538500.0, 174500.0]), "metres"),
    (moved(mark(), []), "coordinates"),
    (moved(mark(), ["-0.02", "51.45"]), "coordinates"),
    (moved(mark(), [True, False]), "coordinates"),
    (moved(mark(), [10**400, 51]), "range"),
    (moved(mark(), [[-0.02, 51.45]]), "coordinates"),
    (drawn("route", (0, 0), (2000, 0), (2000, 2000), (0, 2000), (0, 100), (2000, 100), (2000, 1900)), "10 km"),
    (drawn("route", (100, 100), (100, 100)), "no length"),
    (moved(drawn("route", (100, 100), (200, 200)), [at(100, 100)]), "linestring"),
    (drawn("area", (0, 0), (900, 900), (900, 0), (0, 900)), "crosses itself"),
    (drawn("area", (-400, -400), (2400, -400), (2400, 2400), (-400, 2400)), "km2"),
    (drawn("route", *((k % 2, k) for k in range(501))), "at most 500"),
    (mark(kind="route"), "needs a linestring"),
    (drawn("route", (0, 0), (9, 9)) | {"properties": {"feeling": "safe"}}, "needs a point"),
]


@pytest.mark.parametrize(("feature", "words"), GEOMETRIES)
def test_geometry_that_cannot_be_taken_says_what_to_do(demo: TestClient, feature: dict[str, Any], words: str) -> None:
    refused(demo.post(URL, json=feature), "geometry.coordinates", words)


def test_place_just_within_the_margin_is_taken(demo: TestClient) -> None:
    assert demo.post(URL, json=mark(-499.0, 500)).status_code == 201


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("field", ["coordinates", "people"])
def test_numbers_that_are_none_are_refused(demo: TestClient, number: str, field: str) -> None:
    feature = mark(people=7)
    text = json.dumps(feature).replace('"people": 7', f'"people": {number}' if field == "people" else '"people": 7')
    if field == "coordinates":
        text = text.replace(json.dumps(feature["geometry"]["coordinates"]), f"[{number}, 51.45]")
    answer = demo.post(URL, content=text, headers={"Content-Type": "application/json"})
    refused(answer, "geometry.coordinates" if field == "coordinates" else "properties.people")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'"words"', 422),
        (b"\xff\xfe", 422),
        (b"[" * 30_000, 400),
        (b'{"type": "FeatureCollection", "features": []}', 422),
        (b'{"type": "Feature", "geometry": null, "properties": {"feeling": "safe"}}', 422),
        (b'{"type": "Feature", "properties": {"feeling": "safe"}}', 422),
        (b'{"type": "Feature", "geometry": {"type": "Point", "coordinates": {}}, "properties": []}', 422),
    ],
)
def test_body_that_is_no_mark_is_refused(demo: TestClient, body: bytes, status: int) -> None:
    answer = demo.post(URL, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_lone_surrogate_is_refused(demo: TestClient) -> None:
    text = json.dumps(mark(note="NOTE")).replace("NOTE", "\\ud800")
    refused(demo.post(URL, content=text, headers={"Content-Type": "application/json"}), "properties.note")


def test_body_over_64_kb_is_too_large(demo: TestClient) -> None:
    answer = demo.post(URL, json=mark(note="x" * 70_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_body_of_unknown_length_over_64_kb_is_too_large(demo: TestClient) -> None:
    def stream() -> Any:
        for _ in range(70):
            yield b" " * 1024

    answer = demo.post(URL, content=stream(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_every_wrong_field_is_told_at_once(demo: TestClient) -> None:
    answer = demo.post(URL, json=mark(-900, 0, note="x" * 501, reasons=["ghosts"], people=99))
    fields = {error["field"] for error in answer.json()["errors"]}
    assert fields == {"properties.note", "properties.reasons[0]", "properties.people", "geometry.coordinates"}


def test_a_refusal_repeats_neither_words_nor_coordinates(demo: TestClient) -> None:
    longitude, latitude = at(-900, 0)
    feature = mark(-900, 0, note="ZEBRA\u200b", suggestion="GIRAFFE" * 100, OKAPI="x", reasons=["QUAGGA"])
    texts = [demo.post(URL, json=feature).text]
    feature["properties"].pop("OKAPI")
    texts.append(demo.post(URL, json=feature).text)
    texts.append(demo.post(URL, json=feature | {"id": "ZEBRA", "type": "GIRAFFE"}).text)
    for text in texts:
        assert not any(word in text for word in ("ZEBRA", "GIRAFFE", "OKAPI", "QUAGGA"))
        assert str(longitude)[:7] not in text
        assert str(latitude)[:7] not in text


def test_plain_words_in_any_script_and_pictures_are_taken(demo: TestClient) -> None:
    note = "Zu dunkel – trop sombre\nعتمة 👩\u200d👧 ❤️"
    answer = demo.post(URL, json=mark(note=note))
    assert answer.json()["place"]["properties"]["note"] == note


def test_ids_that_contradict_each_other_are_refused(demo: TestClient) -> None:
    refused(demo.post(URL, json=mark(id="0b9f6a3e-1a52-4c8e-9d0f-2f6f0f5f9a11")), "properties.id", "differs")


@pytest.mark.requirement("X4")
@pytest.mark.parametrize("secret", ["short", "a" * 22, "not base64url at all!!", "x" * 301])
def test_weak_receipt_of_a_device_is_refused(demo: TestClient, secret: str) -> None:
    refused(demo.post(URL, json=mark() | {"receipt": secret}), "receipt")


@pytest.mark.requirement("S2")
@pytest.mark.parametrize("role", ["youth_worker", "moderator"])
@pytest.mark.parametrize(
    ("feature", "field"),
    [
        (mark(note="words"), "properties.note"),
        (mark(suggestion="words"), "properties.suggestion"),
        (drawn("border", (100, 100), (200, 200)), "properties.kind"),
    ],
)
def test_real_deployment_takes_no_words_and_no_border_before_workshops(
    real: TestClient, role: str, feature: dict[str, Any], field: str
) -> None:
    refused(real.post(URL, json=feature, headers=bearer(role)), field, "workshops")


def test_real_deployment_takes_marks_from_staff_only(real: TestClient) -> None:
    assert real.post(URL, json=mark()).status_code == 401
    assert real.post(URL, json=mark(note="  "), headers=bearer("youth_worker")).status_code == 201
    assert real.post(URL, json=mark(), headers=bearer("planner")).status_code == 403
    assert real.post(URL, json=mark(), headers=bearer("admin")).status_code == 403


def test_mark_before_boundaries_are_there_waits(demo_client: TestClient) -> None:
    answer = demo_client.post(URL, json=mark())
    assert (answer.status_code, answer.json()["code"]) == (503, "not-set-up")


def test_third_coordinate_that_is_no_number_is_refused(demo: TestClient) -> None:
    feature = mark()
    feature["geometry"]["coordinates"] = [*feature["geometry"]["coordinates"][:2], "x"]
    refused(demo.post(URL, json=feature), "geometry.coordinates")


@pytest.mark.parametrize(("query", "words"), [("bbox=51,-1,52,1", "swapped"), ("reason=ghosts", "no such reason")])
def test_filter_that_can_find_nothing_is_told(demo: TestClient, query: str, words: str) -> None:
    answer = demo.get(f"{URL}?{query}")
    assert answer.status_code == 422
    assert words in answer.json()["errors"][0]["message"]
