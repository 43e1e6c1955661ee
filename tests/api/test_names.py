"""Import of names and the search."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.areas import workflow as areas
from service.cli import app
from service.core import Core
from service.errors import UnavailableError
from service.names import workflow

ROWS = """name,kind,lon,lat
Ladywell Road,street,-0.0213,51.4571
Ladywell Road,street,-0.0214,51.4572
Ladywell,station,-0.0190,51.4560
Old Ladywell Lane,street,-0.0200,51.4500
Princes Street,street,-3.1900,55.9500
"""


@pytest.fixture
def with_names(demo_core: Core, tmp_path: Path) -> Core:
    areas.load_bundled(demo_core)
    file = tmp_path / "names.csv"
    file.write_text(ROWS, encoding="utf-8")
    done = workflow.import_names(demo_core, file)
    assert (done.stored, done.elsewhere, done.repeated) == (3, 1, 1)
    return demo_core


def test_import_again_replaces_the_source(with_names: Core, tmp_path: Path) -> None:
    workflow.import_names(with_names, tmp_path / "names.csv")
    assert len(workflow.search_names(with_names, "ladywell", limit=20)) == 3


def test_whole_names_come_first_then_beginnings_then_words_inside(with_names: Core) -> None:
    found = [name.name for name in workflow.search_names(with_names, "LADYWELL", limit=20)]
    assert found == ["Ladywell", "Ladywell Road", "Old Ladywell Lane"]


@pytest.mark.parametrize("typed", ["ladywell rd", "Ladywell  Road", "ladywell road"])
def test_short_forms_find_the_street(with_names: Core, typed: str) -> None:
    assert workflow.search_names(with_names, typed, limit=5)[0].name == "Ladywell Road"


@pytest.mark.parametrize("typed", ["%", "_", "a", "", "' OR 1=1"])
def test_wild_cards_and_single_letters_find_nothing(with_names: Core, typed: str) -> None:
    assert list(workflow.search_names(with_names, typed, limit=5)) == []


def test_landmarks_are_not_streets(with_names: Core) -> None:
    assert [name for _, _, name, _ in workflow.landmarks(with_names)] == ["Ladywell"]


def test_import_without_boundaries_says_what_to_do(demo_core: Core, tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text(ROWS, encoding="utf-8")
    with pytest.raises(UnavailableError, match="boundaries"):
        workflow.import_names(demo_core, file)


def test_search_route_answers_and_refuses(demo_client: TestClient) -> None:
    assert demo_client.get("/api/v1/names", params={"q": "ladywell"}).json() == {"names": []}
    assert demo_client.get("/api/v1/names").status_code == 422
    assert demo_client.get("/api/v1/names", params={"q": "x" * 81}).status_code == 422
    assert demo_client.get("/api/v1/names", params={"q": "lady", "limit": 21}).status_code == 422


def test_command_imports_and_tells_counts(with_names: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFER_PLACES_DATA_DIR", str(with_names.settings.data_dir))
    done = CliRunner().invoke(app, ["names", "import", str(tmp_path / "names.csv")])
    assert done.exit_code == 0, done.output
    assert "3 names stored; 1 elsewhere and 1 repeated" in done.output
