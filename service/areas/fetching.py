"""Fetch a boundary set from the official portal and store it as an import of a file."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import date
from typing import Final

from service.areas.importing import Fields, Imported, import_file
from service.areas.open_geography import Backoff, FeatureService, Layer, Progress, download, fetch_folder
from service.areas.sets import FULL_RESOLUTION_M, SetWords
from service.core import Core
from service.errors import InvalidInputError

KINDS: Final = {"wards": ("ward", "Wards", "WD"), "boroughs": ("borough", "Local_Authority_Districts", "LAD")}
# Vintages whose layers are named after this pattern on the portal; others are named by hand.
YEARS: Final = (2022, 2023, 2024)
PAGE_SIZE: Final = 50
_GSS = re.compile(r"[A-Z][0-9]{8}")
_SERVICE = re.compile(r"\w{1,120}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """What to fetch and how to store it.

    Parameters
    ----------
    kind : str
        ``wards`` or ``boroughs``.
    year : int
        Vintage: the layer of December of that year.
    area_gss : str
        Code of the borough.
    set_name : str or None
        Name to store it under; ``wards-2022`` for the wards of 2022 where None.
    service : str or None
        Name of the layer's service, where the portal does not follow the pattern.
    valid_from, valid_to : date or None
        First and last day in force, where known.
    default : bool
        Whether the set becomes the default.
    """

    kind: str
    year: int
    area_gss: str
    set_name: str | None = None
    service: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    default: bool = False

    def layer(self) -> Layer:
        """Return the layer that holds the areas.

        Raises
        ------
        InvalidInputError
            If kind, year, borough or service cannot be used.
        """
        if self.kind not in KINDS:
            raise InvalidInputError(f"There is nothing to fetch called {self.kind!r}; use {' or '.join(KINDS)}.")
        if not _GSS.fullmatch(self.area_gss):
            raise InvalidInputError(f"{self.area_gss[:20]!r} is no GSS code of a borough; Lewisham is E09000023.")
        if self.service is None and self.year not in YEARS:
            raise InvalidInputError(
                f"The layer of {self.year} is not known here (known: {', '.join(map(str, YEARS))}). "
                "Find its name on the portal and give it with --service."
            )
        if self.service is not None and not _SERVICE.fullmatch(self.service):
            raise InvalidInputError("The name of a service has letters, digits and underscores only.")
        _, words, prefix = KINDS[self.kind]
        short = f"{self.year % 100:02d}"
        service = self.service or f"{words}_December_{self.year}_Boundaries_UK_BFC"
        return Layer(service, f"{prefix}{short}CD", f"{prefix}{short}NM", f"LAD{short}CD")

    def words(self, layer: Layer, area_name: str) -> SetWords:
        """Return what is stored about the set."""
        level, _, _ = KINDS[self.kind]
        plural = "Wards" if self.kind == "wards" else "Outline"
        return SetWords(
            name=self.set_name or f"{self.kind}-{self.year}",
            level=level,
            title=f"{plural} of {area_name}, December {self.year}",
            source=f"Office for National Statistics, Open Geography portal, layer {layer.service}",
            licence="Open Government Licence v3.0",
            attribution=(
                "Source: Office for National Statistics licensed under the Open Government Licence v.3.0. "
                f"Contains OS data © Crown copyright and database right {self.year}."
            ),
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            resolution_m=FULL_RESOLUTION_M,  # BFC: full resolution, clipped to the coastline
        )


def fetch_set(core: Core, plan: FetchPlan, *, progress: Progress, backoff: Backoff | None = None) -> Imported:
    """Fetch a set from the portal and store it; an interrupted fetch goes on where it stopped.

    Parameters
    ----------
    core : Core
        The deployment; its settings name the portal.
    plan : FetchPlan
        What to fetch.
    progress : callable of (int, int)
        Told how many areas of how many are here.
    backoff : Backoff, optional
        Patience with a service that fails; six tries over half a minute unless given.

    Returns
    -------
    Imported
        As an import of a file.

    Raises
    ------
    InvalidInputError
        If the plan cannot be used.
    FetchError
        If the service fails; what was fetched is kept.
    BoundaryError
        If what it gave cannot be used.
    """
    layer = plan.layer()
    words = plan.words(layer, core.area_name).checked()
    with FeatureService(core.settings, layer, backoff or Backoff()) as service:
        folder = fetch_folder(core.settings.data_dir, service, plan.area_gss)
        path = download(service, plan.area_gss, folder, page_size=PAGE_SIZE, progress=progress)
    fields = Fields(code=layer.code_field, name=layer.name_field)
    imported = import_file(core, path, words, fields=fields, default=plan.default)
    shutil.rmtree(folder)
    return imported
