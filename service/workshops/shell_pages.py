"""The installable app: its manifest, its service worker, its page and the files of that page."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request, Response

from service.errors import NotFoundError
from service.web.dependencies import CoreDep
from service.workshops import shell

router = APIRouter(include_in_schema=False)
FOR_EVER = "public, max-age=31536000, immutable"  # the address holds the digest of the content
# No nonce: a page that is kept would show the same one again and again. All of its scripts and styles are files.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)

Version = Annotated[str, Path(description="Version of the app.", max_length=40)]


@router.get("/manifest.webmanifest")
def read_manifest(core: CoreDep) -> Response:
    """Say what the app is called and where it begins, for browsers that install it."""
    base = core.settings.base_path
    said = {
        "name": f"Safer Places {core.area_name}",
        "short_name": "Safer Places",
        "start_url": f"{base}/j",
        "scope": f"{base}/j",
        "display": "minimal-ui",
        "lang": "en-GB",
        "background_color": "#ffffff",
        "theme_color": "#ffffff",
        "icons": [
            {"src": f"{base}/static/icons/icon-192.png", "sizes": "192x192", "type": "image/png"},
            {"src": f"{base}/static/icons/icon-512.png", "sizes": "512x512", "type": "image/png"},
        ],
    }
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(orjson.dumps(said), media_type="application/manifest+json", headers=headers)


@router.get("/sw.js")
def read_worker(core: CoreDep) -> Response:
    """Return the service worker; its text changes with the app, and so browsers fetch a new one whole."""
    made = shell.read_shell(core)
    facts = {
        "base": core.settings.base_path,
        "app": shell.app_path(core, made.version),
        "files": ["page", *sorted(made.files)],
    }
    text = b"const APP = " + orjson.dumps(facts) + b";\n" + shell.worker_script()
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


@router.get("/j/app/{version}/{name:path}")
def read_file(
    request: Request, core: CoreDep, version: Version, name: Annotated[str, Path(max_length=120)]
) -> Response:
    """Return the page of the app, or one of its files.

    Raises
    ------
    NotFoundError
        For another version than the one that runs: two versions are never mixed.
    """
    made = shell.find_shell(core, version)
    if made is None or (name != "page" and name not in made.files):
        raise NotFoundError("There is nothing at this address.")
    headers = {"Cache-Control": FOR_EVER}
    if name == "page":
        headers |= {"Cache-Control": "no-store", "Content-Security-Policy": POLICY}
        return Response(made.page, media_type="text/html", headers=headers)
    content = made.files[name]
    if name in made.packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        content = made.packed[name]
    return Response(content, media_type=shell.media_type(name), headers=headers)
