"""The marking app as the server gives it: one version whole, nothing of anybody in it, no nonce, no inline script."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.core import Core
from service.names.workflow import import_names
from service.workshops import shell
from tests.support.squares import add_squares
from tests.support.workshops import phone, set_up

pytestmark = pytest.mark.requirement("X7")


def facts(client: TestClient) -> dict[str, Any]:
    """Return what the service worker is told."""
    answer = client.get("/sw.js")
    assert answer.status_code == 200
    first = answer.text.splitlines()[0]
    found: dict[str, Any] = json.loads(first.removeprefix("const APP = ").removesuffix(";"))
    return found


def test_every_file_that_the_worker_keeps_is_there(client: TestClient) -> None:
    app = facts(client)
    assert app["files"][0] == "page"
    for name in app["files"]:
        answer = client.get(f"{app['app']}/{name}")
        assert answer.status_code == 200, name
        assert answer.content, name


@pytest.mark.requirement("X1", "C6")
def test_page_has_no_inline_script_no_nonce_and_asks_for_nothing_it_does_not_carry(client: TestClient) -> None:
    app = facts(client)
    answer = client.get(f"{app['app']}/page")
    policy = answer.headers["content-security-policy"]
    assert "nonce" not in policy
    assert "unsafe" not in policy
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", answer.text, re.DOTALL)
    assert scripts
    assert all("src=" in head and not body.strip() for head, body in scripts)
    assert not re.findall(r'\s(?:style|on[a-z]+)="', re.sub(r"<svg.*?</svg>", "", answer.text, flags=re.DOTALL))
    asked = re.findall(r'<(?:script|link|img|use)[^>]*?(?:src|href)="(/[^"#?]*)', answer.text)
    own = {path.removeprefix(f"{app['app']}/") for path in asked if path.startswith(app["app"])}
    assert own <= set(app["files"])
    assert {path for path in asked if not path.startswith(app["app"])} == {"/manifest.webmanifest"}


@pytest.mark.requirement("X8")
def test_app_is_the_same_for_everybody(client: TestClient, core: Core) -> None:
    _, code = set_up(core, title="Ladywell club")
    device = phone(client, code)
    app = facts(client)
    page = client.get(f"{app['app']}/page")
    assert device.get(f"{app['app']}/page").content == page.content
    assert page.headers["cache-control"] == "no-store"
    for secret in (code, "Ladywell club", device.cookies["seat"]):
        assert secret not in page.text
    assert "set-cookie" not in page.headers


def test_files_may_be_kept_for_ever_and_other_versions_are_not_there(client: TestClient) -> None:
    app = facts(client)
    answer = client.get(f"{app['app']}/js/mark/flow.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    for path in ("/j/app/0123456789/page", f"{app['app']}/js/none.js", f"{app['app']}/../../secret.key"):
        assert client.get(path).status_code == 404
    assert client.get("/sw.js").headers["cache-control"] == "no-cache"


def test_files_come_packed_where_the_device_can_unpack_and_plain_where_not(client: TestClient) -> None:
    app = facts(client)
    address = f"{app['app']}/js/mark/flow.js"
    packed = client.get(address, headers={"Accept-Encoding": "gzip"})
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_a_room_of_phones_makes_the_app_once(client: TestClient, core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    really = shell._make

    def slowly(given: Core) -> shell.Shell:
        made.append(1)
        time.sleep(0.1)
        return really(given)

    monkeypatch.setattr(shell, "_make", slowly)
    with ThreadPoolExecutor(8) as pool:
        versions = {one.version for one in pool.map(lambda _: shell.read_shell(core), range(8))}
    assert (len(versions), len(made)) == (1, 1)


def test_version_is_that_of_the_content(make_settings: Any, tmp_path: Path) -> None:
    """Two processes say the same version; new names make another one."""
    versions = []
    for _ in range(2):
        with TestClient(create_app(make_settings("demo"))) as client:
            core: Core = client.app.state.core  # type: ignore[attr-defined]
            if not versions:
                add_squares(core)
            versions.append(facts(client)["app"])
    assert versions[0] == versions[1]
    file = tmp_path / "names.csv"
    file.write_text("name,kind,longitude,latitude\nOak Road,street,-0.0213,51.4571\n", encoding="utf-8")
    with TestClient(create_app(make_settings("demo"))) as client:
        core = client.app.state.core  # type: ignore[attr-defined]
        import_names(core, file)
        app = facts(client)
        assert app["app"] != versions[0]
        carried = client.get(f"{app['app']}/names.json").json()
    assert [row[:3] for row in carried["names"]] == [["Oak Road", "oak road", "street"]]


def test_base_path_stands_before_every_address(make_settings: Any) -> None:
    with TestClient(create_app(make_settings("demo", base_path="/safer"))) as client:
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        add_squares(core)
        made = shell.read_shell(core)
        page = made.page.decode()
    assert f"/safer/j/app/{made.version}/js/mark/flow.js" in page
    assert 'href="/static' not in page
    assert 'src="/static' not in page


def test_manifest_names_an_app_that_can_be_installed(client: TestClient) -> None:
    answer = client.get("/manifest.webmanifest")
    said = answer.json()
    assert answer.headers["content-type"] == "application/manifest+json"
    assert (said["start_url"], said["scope"], said["display"]) == ("/j", "/j", "minimal-ui")
    assert {icon["sizes"] for icon in said["icons"]} == {"192x192", "512x512"}
    for icon in said["icons"]:
        assert client.get(icon["src"]).content.startswith(b"\x89PNG")


def test_store_without_boundaries_says_so(demo_client: TestClient) -> None:
    assert demo_client.get("/sw.js").status_code == 503
