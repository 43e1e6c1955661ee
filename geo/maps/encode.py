"""Data on its way into a script of a page: nothing a person wrote can end the script, a string or a template."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import shapely
import shapely.geometry

# Inside JSON these characters stand in strings only, so they may be replaced anywhere in the text. `<` ends a script
# element, a backtick and `$` a template literal, U+2028 and U+2029 a line of older JavaScript.
_SCRIPT_SAFE: Final = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&'`$\u2028\u2029\u0085"})
DECIMALS: Final = 5  # of a degree: about one metre, finer than any boundary set is drawn


def to_script_json(value: Any) -> str:
    r"""Encode a value as JSON that may stand anywhere in a script.

    Parameters
    ----------
    value : object
        Mappings, sequences, strings, numbers, dates and numpy arrays; NaN becomes ``null``.

    Returns
    -------
    str
        JSON without ``<``, ``>``, ``&``, single quotes, backticks, dollar signs and line separators.

    Raises
    ------
    TypeError
        If a value has no JSON form (:class:`orjson.JSONEncodeError`).

    Examples
    --------
    >>> to_script_json({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS).decode()
    return text.translate(_SCRIPT_SAFE)


def simplified(geometries: npt.NDArray[Any], *, tolerance_degrees: float) -> npt.NDArray[Any]:
    """Simplify areas that touch, all at once, so that no gap opens between neighbours; for drawing only.

    Parameters
    ----------
    geometries : ndarray of Polygon or MultiPolygon, shape (n_areas,)
        Areas in ``crs.WGS84`` [degrees].
    tolerance_degrees : float
        Largest area of a removed triangle is the square of this; 0 keeps every vertex.

    Returns
    -------
    ndarray, shape (n_areas,)
        New geometries; those that would vanish are the given ones.
    """
    if tolerance_degrees <= 0 or len(geometries) == 0:
        return geometries
    fine = shapely.coverage_simplify(geometries, tolerance_degrees)
    return np.where(shapely.is_empty(fine), geometries, fine)


def to_drawing(geometry: Any) -> dict[str, Any]:
    """Return a geometry as GeoJSON with as many decimals as a screen can show.

    Parameters
    ----------
    geometry : Geometry
        Any geometry in ``crs.WGS84`` [degrees].

    Returns
    -------
    dict
        GeoJSON geometry, ``DECIMALS`` decimals.
    """
    rounded = shapely.transform(geometry, lambda xy: np.round(xy, DECIMALS))
    return dict(shapely.geometry.mapping(rounded))
