"""Opening a deployment: what is refused, and that sample and real never mix."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from service.core import Cache, Core, StartError, initialise, open_core, require_assessment, upgrade_store
from service.serve import run_server
from service.settings import Settings
from tests.conftest import ASSESSMENT


def test_folder_without_a_store_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"safer-places init.*safer-places demo"):
        open_core(Settings(data_dir=tmp_path))


def test_question_before_init_leaves_no_trace(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    for ask in (open_core, upgrade_store):
        with pytest.raises(StartError, match="There is no store"):
            ask(settings)
    assert not settings.data_dir.exists()


def test_file_that_is_no_store_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "safer-places.sqlite").write_bytes(b"not a database" * 100)
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(StartError, match="no store"):
        open_core(settings)
    with pytest.raises(StartError, match="no store"):
        upgrade_store(settings)
    with pytest.raises(StartError, match="no store"):
        initialise(settings, "real")


def test_database_that_cannot_be_reached_or_read_is_told_without_its_password(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql://nobody:s3cret@127.0.0.1:1/x")
    with pytest.raises(StartError, match="cannot be reached") as caught:
        open_core(settings)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ValueError, match="URL of the database") as unread:
        open_core(Settings(data_dir=tmp_path, database_url="s3cret"))
    assert "s3cret" not in str(unread.value)


def test_address_of_another_machine_is_not_called_a_port_in_use(real_core: Core) -> None:
    elsewhere = real_core.settings.model_copy(update={"host": "192.0.2.1", "port": 0})  # RFC 5737: nobody's
    with pytest.raises(StartError, match="cannot be listened on"):
        run_server(elsewhere)


def test_initialise_twice_keeps_the_store(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, area_name="Lewisham")
    initialise(settings, "real")
    first = open_core(settings)
    first.store.close()
    initialise(settings, "real")
    second = open_core(settings)
    second.store.close()
    assert (second.mode, second.secret) == ("real", first.secret)


def test_demo_and_real_never_share_a_folder(tmp_path: Path) -> None:
    initialise(Settings(data_dir=tmp_path), "demo")
    with pytest.raises(StartError, match="is a demo one"):
        initialise(Settings(data_dir=tmp_path), "real")


def test_area_is_that_of_the_store_whatever_the_settings_say_later(tmp_path: Path) -> None:
    initialise(Settings(data_dir=tmp_path, area_gss="E09000023", area_name="Lewisham"), "real")
    core = open_core(Settings(data_dir=tmp_path, area_gss="E09000022", area_name="Lambeth"))
    core.store.close()
    assert (core.area_gss, core.area_name) == ("E09000023", "Lewisham")


def test_secret_is_random_and_for_the_owner_only(tmp_path: Path) -> None:
    secrets = []
    for name in ("a", "b"):
        initialise(Settings(data_dir=tmp_path / name), "demo")
        path = tmp_path / name / "secret.key"
        secrets.append(path.read_bytes())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(secrets[0]) == 32
    assert secrets[0] != secrets[1]


def test_keyed_hash_keeps_uses_apart_and_depends_on_the_secret(demo_core: Core, real_core: Core) -> None:
    found = {
        demo_core.keyed_hash("receipt", "x"),
        demo_core.keyed_hash("cookie", "x"),
        real_core.keyed_hash("receipt", "x"),
    }
    assert len(found) == 3
    assert demo_core.keyed_hash("receipt", "x") == demo_core.keyed_hash("receipt", "x")


@pytest.mark.requirement("L1")
@pytest.mark.parametrize("name", sorted(ASSESSMENT))
def test_real_deployment_without_its_assessment_does_not_start(
    make_settings: Callable[..., Settings], name: str
) -> None:
    core = open_core(make_settings("real", **{name: None}))
    try:
        with pytest.raises(StartError, match=f"SAFER_PLACES_{name.upper()}"):
            require_assessment(core)
    finally:
        core.store.close()


@pytest.mark.requirement("L1")
def test_assessment_signed_in_the_future_is_none(make_settings: Callable[..., Settings]) -> None:
    core = open_core(make_settings("real", dpia_date="2999-01-01"))
    try:
        with pytest.raises(StartError, match="SAFER_PLACES_DPIA_DATE"):
            require_assessment(core)
    finally:
        core.store.close()


@pytest.mark.requirement("L1")
def test_real_deployment_with_its_assessment_starts(real_core: Core) -> None:
    require_assessment(real_core)


def test_cache_makes_each_value_once_and_forgets_the_one_unused_longest() -> None:
    cache, made = Cache(limit=2), []

    def get(key: str) -> str:
        return cache.get(key, lambda: made.append(key) or key.upper())  # type: ignore[func-returns-value]

    assert [get(key) for key in ("a", "b", "a", "c", "a", "b")] == ["A", "B", "A", "C", "A", "B"]
    assert made == ["a", "b", "c", "b"]  # c pushed out b, since a had been asked for after it


def test_cache_is_for_many_threads() -> None:
    cache = Cache(limit=8)
    wrong: list[int] = []

    def ask() -> None:
        wrong.extend(n for n in range(500) if cache.get(n % 16, lambda n=n: n % 16) != n % 16)  # type: ignore[misc]

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
