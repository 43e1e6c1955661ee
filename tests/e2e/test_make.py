"""The two commands on a machine with a Python and make only: what is found, what is said where something is missing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.support.sources import ROOT

FIND = ROOT / "scripts" / "find_python.sh"


def fake_python(folder: Path, name: str, version: str, *, ensurepip: bool = True) -> Path:
    """Write a program that answers as a Python of that version would."""
    folder.mkdir(exist_ok=True)
    major, minor = version.split(".")
    enough = (int(major), int(minor)) >= (3, 11)
    answer = f"""#!/bin/sh
case "$2" in
*version_info*) echo "{version} {enough}" ;;
*ensurepip*) exit {0 if ensurepip else 1} ;;
esac
"""
    path = folder / name
    path.write_text(answer)
    path.chmod(0o755)
    return path


def find(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    shell = shutil.which("sh")
    assert shell is not None
    return subprocess.run(
        [shell, FIND], env={"PATH": str(folder)} | environment, capture_output=True, text=True, check=False
    )


def test_first_python_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", "3.9")
    wanted = fake_python(tmp_path, "python3.12", "3.12")
    done = find(tmp_path)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(wanted), "")


def test_stand_in_without_a_python_behind_it_is_passed_over(tmp_path: Path) -> None:
    broken = fake_python(tmp_path, "python3.13", "3.13")
    broken.write_text("#!/bin/sh\nexit 127\n")
    wanted = fake_python(tmp_path, "python3.11", "3.11")
    assert find(tmp_path).stdout.strip() == str(wanted)


def test_python_named_by_the_user_comes_first(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", "3.12")
    mine = fake_python(tmp_path / "mine", "mypython", "3.13")
    assert find(tmp_path, PYTHON=str(mine)).stdout.strip() == str(mine)


def test_old_python_only_is_one_clear_line(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", "3.9")
    done = find(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "3.11 or newer is needed and only 3.9 was found" in done.stderr


def test_no_python_is_one_clear_line(tmp_path: Path) -> None:
    done = find(tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "none was found" in done.stderr


def test_python_without_ensurepip_names_the_debian_package(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", "3.11", ensurepip=False)
    done = find(tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "apt-get install python3.11-venv" in done.stderr


def test_make_alone_says_what_there_is() -> None:
    done = subprocess.run(["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True)
    assert "make run" in done.stdout
    assert "make test" in done.stdout


def test_unknown_suite_is_refused() -> None:
    done = subprocess.run([ROOT / "scripts" / "check", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'nothing' is not one of fast, all" in done.stderr


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def safer_places(folder: Path, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "safer-places", *arguments],
        env=os.environ | {"SAFER_PLACES_DATA_DIR": str(folder)},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_port_in_use_is_one_clear_line(template_stores: dict[str, Path], tmp_path: Path, taken_port: int) -> None:
    folder = tmp_path / "store"
    shutil.copytree(template_stores["demo"], folder)
    done = safer_places(folder, "serve", "--port", str(taken_port))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [done.stderr.strip()]
    assert f"Port {taken_port} on 127.0.0.1 is in use" in done.stderr


def test_serving_without_a_store_says_what_to_do(tmp_path: Path) -> None:
    done = safer_places(tmp_path / "nothing", "serve", "--port", "0")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "safer-places demo" in done.stderr


@pytest.mark.requirement("L1")
def test_real_deployment_without_its_assessment_does_not_start(tmp_path: Path) -> None:
    folder = tmp_path / "real"
    assert safer_places(folder, "init").returncode == 0
    done = safer_places(folder, "serve", "--port", "0")
    assert done.returncode == 2
    assert "SAFER_PLACES_DPIA_REFERENCE" in done.stderr


@pytest.mark.slow
def test_make_run_fills_serves_and_may_be_repeated(tmp_path: Path, taken_port: int) -> None:
    """The first README command as it stands, on a free port; then again with the port taken."""
    environment = os.environ | {"SAFER_PLACES_DATA_DIR": str(tmp_path / "demo")}
    with start_make_run("0", environment) as (make, lines):
        address = next(line for line in lines if " on http://" in line).split(" on ")[1].split()[0]
        page = wait_for_page(address)
        os.killpg(make.pid, signal.SIGINT)
    assert "sample" in page.lower()
    with start_make_run(str(taken_port), environment) as (make, lines):
        said = [line.strip() for line in lines]
        assert make.wait(60) != 0
    assert "It is filled already." in said
    assert [line for line in said if line.startswith("safer-places:")] == [
        f"safer-places: Port {taken_port} on 127.0.0.1 is in use: stop the other program, or take another port "
        f"(--port {taken_port + 1}; make run PORT={taken_port + 1})."
    ]


@contextmanager
def start_make_run(port: str, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
    """Run ``make run`` in a process group of its own; give it and its lines, and end it with all it started."""
    command = ["make", "--no-print-directory", "-C", str(ROOT), "run", f"PORT={port}"]
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as make:
        assert make.stdout is not None
        try:
            yield make, iter(make.stdout)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(make.pid, signal.SIGTERM)
            make.wait(60)


def wait_for_page(address: str) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(httpx2.HTTPError):
            answer = httpx2.get(address + "/", headers={"Accept": "text/html"}, timeout=20)
            if answer.status_code == 200:
                return answer.text
        time.sleep(0.1)
    raise AssertionError(f"{address} did not answer")


@pytest.mark.parametrize(
    "words",
    ["boundaries import", "run repeat xyz", "serve --port abc", "nonsense", "jobs list --status purple", "serve"],
)
def test_wrong_command_line_is_one_line_and_exit_code_2(tmp_path: Path, words: str) -> None:
    environment = os.environ | {"SAFER_PLACES_DATA_DIR": str(tmp_path / "none")}
    command = [sys.executable, "-m", "service.cli", *words.split()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "none").exists()
