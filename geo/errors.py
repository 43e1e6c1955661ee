"""Errors of the geospatial library: each says what was given, what was wanted and what to do."""

from __future__ import annotations


class GeoError(Exception):
    """Base of every error that ``geo`` raises on purpose."""


class CRSError(GeoError, ValueError):
    """A frame is in another coordinate reference system than the one wanted, or in none."""


class ColumnError(GeoError, KeyError):
    """A frame lacks a column that the function needs."""

    def __str__(self) -> str:
        """Return the plain message: ``KeyError`` would show its repr."""
        return str(self.args[0]) if self.args else ""


class GeometryError(GeoError, ValueError):
    """A geometry cannot be used: not valid, of the wrong type, outside the area, too long."""


class BoundaryError(GeoError, ValueError):
    """A boundary set cannot be read or used."""


class CrimeFileError(GeoError, ValueError):
    """A police file cannot be read as one of the known layouts."""


class MethodError(GeoError, ValueError):
    """A method was asked for something it cannot answer: too few months, no cells, a parameter out of range."""


class MapError(GeoError, ValueError):
    """A map cannot be drawn from what it was given, or would ask another host for a part of itself."""


class DisclosureError(GeoError, ValueError):
    """A release cannot be made safely from what was given; nothing of it may be published."""
