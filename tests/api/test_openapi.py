"""The OpenAPI document tells all: every operation, parameter and field, with an example of every body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from service.app import create_app
from service.settings import Settings


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def test_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_operation_has_a_summary_and_tells_its_parameters(document: dict[str, Any]) -> None:
    untold = [name for name, operation in operations(document) if not operation.get("summary")]
    untold += [
        f"{name}: {parameter['name']}"
        for name, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if not (parameter.get("description") or parameter["schema"].get("description"))
    ]
    assert untold == []


def test_every_field_is_described(document: dict[str, Any]) -> None:
    untold = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, content in schema.get("properties", {}).items()
        if not content.get("description")
    ]
    assert untold == []


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    without = []
    for name, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            choices = content["schema"].get("oneOf", [content["schema"]])
            if not all(resolved(document, choice).get("examples") for choice in choices):
                without.append(name)
    assert without == []
