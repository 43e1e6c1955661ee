"""The built wheel, installed alone and used from outside the tree."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import httpx2
import pytest

from tests.conftest import running_server
from tests.support.sources import ROOT

# One venv serves all tests here; they are read only, or write to folders of their own.
pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the command of the image."""
    folder = tmp_path_factory.mktemp("dist")
    options = ["--no-deps", "--no-build-isolation", "--no-cache-dir", "--wheel-dir", str(folder)]
    run(sys.executable, "-m", "pip", "wheel", *options, str(ROOT), cwd=folder)
    [found] = folder.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in an environment of its own and return its folder of programs.

    The locked packages come from this environment: a link to each but to our own editable install.
    """
    home = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    target = home / "lib" / version / "site-packages"
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        is_ours = "safer_places" in entry.name or entry.suffix == ".pth"
        if not is_ours and not (target / entry.name).exists():
            (target / entry.name).symlink_to(entry)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home)
    return home / "bin"


def test_wheel_holds_pages_maps_front_end_and_boundaries(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        "service/data/boundaries/wards-2022/areas.geojson",
        "service/data/boundaries/wards-2022/SOURCE.md",
        "service/data/boundaries/borough/areas.geojson",
        "service/web/templates/base.html",
        "service/web/static/css/site.css",
        "service/places/reasons.toml",
        "service/demo/data/names.csv",
        "service/store/migrations/versions/0001_first.py",
        "geo/maps/static/vendor/leaflet/leaflet.js",
        "geo/maps/static/vendor/leaflet/LICENSE",
        "geo/maps/static/tokens.css",
    }
    assert wanted - names == set()


def test_wheel_holds_nothing_else_at_its_top(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"geo", "service"}


def test_wheel_may_not_be_uploaded(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    assert "Classifier: Private :: Do Not Upload" in archive.read(metadata).decode()


def test_this_distribution_alone_provides_geo_and_service(installed: Path, tmp_path: Path) -> None:
    """Other distributions of these names exist, and installers overwrite files without a word."""
    code = (
        "from importlib.metadata import packages_distributions as p; import geo, service; "
        "print(p()['geo'], p()['service'], geo.__file__, service.__file__)"
    )
    said = run(installed / "python", "-c", code, cwd=tmp_path)
    assert said.startswith("['safer-places'] ['safer-places'] ")
    assert str(ROOT) not in said
    assert said.count("site-packages") == 2


def test_demo_and_server_work_from_another_folder(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    environment = {"SAFER_PLACES_DATA_DIR": str(folder)}
    run(installed / "safer-places", "demo", "--marks", "40", "--months", "12", cwd=tmp_path, environment=environment)
    with running_server(folder, {}, python=installed / "python") as server:
        assert httpx2.get(server.url + "/ready").status_code == 200
        page = httpx2.get(server.url + "/", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "sample" in page.text.lower()
        script = httpx2.get(server.url + "/static/maps/vendor/leaflet/leaflet.js")
        assert script.status_code == 200
        assert len(script.content) > 100_000
