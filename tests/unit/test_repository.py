"""What must never be committed, and files that other tools read: locks, image, compose."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sources import ROOT

# Pieces, so that this file does not name what it forbids.
CDN_HOSTS = [
    "un" + "pkg.com",
    "js" + "delivr",
    "cdn" + "js.",
    "bootstrap" + "cdn",
    "fonts.google" + "apis",
    "net" + "dna",
]
REGISTRY_HOSTS = ["py" + "pi.org", "python" + "hosted", "registry.npm" + "js", "npm" + "js.com", "deb.deb" + "ian"]
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".html",
    ".js",
    ".css",
    ".json",
    ".sh",
    ".txt",
    ".svg",
    ".csv",
    ".ipynb",
    "",
}


def tracked() -> list[Path]:
    """All files that git tracks or would take, so that a mistake is found before it is committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for line in listed.splitlines() if (path := ROOT / line).is_file()]


def lines_with(pattern: str, paths: list[Path]) -> list[str]:
    """Name each line of text files that matches."""
    wanted, found = re.compile(pattern), []
    for path in paths:
        if path.suffix in TEXT and path.stat().st_size < 5_000_000:
            text = path.read_text(encoding="utf-8", errors="replace")
            if wanted.search(text):
                rows = enumerate(text.splitlines(), 1)
                found += [f"{path.relative_to(ROOT)}:{n}" for n, line in rows if wanted.search(line)]
    return found


def test_no_absolute_path_of_this_machine_is_committed() -> None:
    places = {str(ROOT), str(ROOT.parent), str(Path.home())} - {"/", "/root", "/home"}
    assert lines_with("|".join(re.escape(place) + "/" for place in places), tracked()) == []


@pytest.mark.requirement("C6")
def test_no_file_of_ours_names_a_content_network() -> None:
    """The parts of the front end are served by us; a page that names such a host would ask it."""
    assert lines_with("|".join(map(re.escape, CDN_HOSTS)), tracked()) == []


def test_no_file_names_a_package_registry() -> None:
    assert lines_with("|".join(map(re.escape, REGISTRY_HOSTS)), tracked()) == []


def test_locks_hold_no_address_and_hash_every_package() -> None:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert [lock.name for lock in locks] == ["boundaries.txt", "build.txt", "dev.txt", "runtime.txt"]
    assert lines_with("://|--index|--find-links", locks) == []
    for lock in locks:
        packages = re.split(r"^(?=[a-z0-9])", lock.read_text(), flags=re.MULTILINE)[1:]
        unhashed = [package.split(maxsplit=1)[0] for package in packages if "--hash=sha256:" not in package]
        assert unhashed == []


def test_locks_agree_on_versions() -> None:
    """All of them go into one environment."""
    versions: dict[str, set[str]] = {}
    for lock in (ROOT / "requirements").glob("*.txt"):
        for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+) ", lock.read_text(), flags=re.MULTILINE):
            versions.setdefault(name, set()).add(version)
    # A package may be locked twice for different Pythons in one file: only names with one version each are compared.
    one_file = {name for name, found in versions.items() if len(found) > 1}
    assert one_file <= split_by_python()


def split_by_python() -> set[str]:
    """Packages that a lock holds in several versions, one for each range of Python."""
    runtime = (ROOT / "requirements" / "dev.txt").read_text()
    return set(re.findall(r"^([a-z0-9._-]+)==\S+ ; python_full_version", runtime, flags=re.MULTILINE))


def test_front_end_lock_holds_no_address() -> None:
    assert '"resolved"' not in (ROOT / "frontend" / "package-lock.json").read_text()


def test_dockerfile_passes_its_linter() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_image_runs_as_an_ordinary_user_and_says_if_it_is_well() -> None:
    last_stage = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d*$", last_stage, re.MULTILINE)
    assert "HEALTHCHECK" in last_stage
    assert "/ready" in last_stage


def test_image_context_holds_what_the_build_copies_and_no_data() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {"pyproject.toml", "requirements", "scripts", "frontend", "geo", "service", "data/boundaries"} <= allowed
    assert not allowed & {"var", ".env", ".git", "tests"}


@pytest.mark.parametrize("script", ["check", "lock", "setup.sh", "run.sh", "find_python.sh"])
def test_script_can_be_run_and_parses(script: str) -> None:
    path = ROOT / "scripts" / script
    assert path.stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0


def test_ci_script_parses_and_fails_where_the_tests_fail() -> None:
    path = ROOT / ".ci" / "run"
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    assert "set -euo pipefail" in path.read_text()


def test_links_between_our_pages_lead_somewhere() -> None:
    dead = []
    for page in (path for path in tracked() if path.suffix == ".md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                dead.append(f"{page.relative_to(ROOT)}: {target}")
    assert dead == []


def test_the_first_decisions_are_there() -> None:
    numbers = sorted(path.name[:4] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers[:6] == ["0001", "0002", "0003", "0004", "0005", "0006"]
