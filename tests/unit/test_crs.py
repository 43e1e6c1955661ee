"""The one transform against Ordnance Survey's own test points, and the guards of the two CRS."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import crs
from geo.errors import CRSError

# Ordnance Survey, OSTN15/OSGM15 developer pack, OSTN15_OSGM15_TestInput_ETRStoOSGB.txt and its TestOutput file:
# latitude, longitude (ETRS89), easting, northing (OSGB36).
OS_TEST_POINTS = {
    "TP01 St Mary's": (49.92226393730, -6.29977752014, 91492.146, 11318.804),
    "TP02 Lizard": (49.96006137820, -5.20304609998, 170370.718, 11572.405),
    "TP05 Southampton": (50.93127937910, -1.45051433700, 438710.920, 114792.250),
    "TP07 North Foreland": (51.37447025550, 1.44454730409, 639821.835, 169565.858),
    "TP09 Lambeth": (51.48936564950, -0.11992557180, 530624.974, 178388.464),
    "TP11 Colchester": (51.89436637350, 0.89724327012, 599445.590, 225722.826),
    "TP15 Nottingham": (52.96219109410, -1.19747655922, 454002.834, 340834.943),
    "TP20 Pudsey": (53.80021519630, -1.66379168242, 422242.186, 433818.701),
    "TP27 Edinburgh": (55.92478265510, -3.29479219337, 319188.434, 670947.534),
    "TP38 Fair Isle": (59.53470794490, -1.62516966058, 421300.525, 1072147.239),
    "TP40 Shetland": (60.13308091660, -2.07382822798, 395999.668, 1138728.951),
    # Transformations and OSGM15 user guide, annex A: the worked example
    "Caister water tower": (52.658007833, 1.716073973, 651409.804, 313177.450),
}
LAT, LON, EASTING, NORTHING = np.array(list(OS_TEST_POINTS.values())).T
MILLIMETRE = 0.0015  # published to 0.001 m; one unit of rounding and the float
DEGREE = 1.5e-8  # 1.1 mm of latitude and the float
LAMBETH = OS_TEST_POINTS["TP09 Lambeth"]


def test_to_metric_gives_ordnance_survey_test_points_to_the_millimetre() -> None:
    easting, northing = crs.to_metric_xy(LON, LAT)
    np.testing.assert_allclose(easting, EASTING, rtol=0, atol=MILLIMETRE)
    np.testing.assert_allclose(northing, NORTHING, rtol=0, atol=MILLIMETRE)


def test_to_wgs84_gives_ordnance_survey_test_points_to_the_millimetre() -> None:
    longitude, latitude = crs.to_wgs84_xy(EASTING, NORTHING)
    np.testing.assert_allclose(longitude, LON, rtol=0, atol=2 * DEGREE)
    np.testing.assert_allclose(latitude, LAT, rtol=0, atol=DEGREE)


def test_seven_parameters_are_more_than_a_metre_off_in_london() -> None:
    """Why pyproj is not used for the shift; the parameters are written out, so no installed grid changes them."""
    seven = pyproj.CRS(
        "+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy "
        "+towgs84=446.448,-125.157,542.06,0.15,0.247,0.842,-20.489 +units=m"
    )
    latitude, longitude, easting, northing = LAMBETH
    x, y = pyproj.Transformer.from_crs("EPSG:4326", seven, always_xy=True).transform(longitude, latitude)
    assert 1.0 < np.hypot(x - easting, y - northing) < 3.5


@given(st.floats(-5.0, 1.5), st.floats(50.4, 55.0))
@settings(max_examples=100, deadline=None)
def test_there_and_back_is_exact_to_a_millimetre_or_not_defined(longitude: Any, latitude: Any) -> None:
    easting, northing = crs.to_metric_xy(longitude, latitude)
    back_lon, back_lat = crs.to_wgs84_xy(easting, northing)
    if np.isnan(easting[0]):
        assert np.isnan(northing[0])
        assert np.isnan(back_lon[0])
    else:
        assert abs(back_lon[0] - longitude) < 2 * DEGREE
        assert abs(back_lat[0] - latitude) < 2 * DEGREE


@pytest.mark.parametrize(
    ("longitude", "latitude"),
    [(np.nan, 51.5), (0.0, np.nan), (np.inf, 51.5), (0.0, -np.inf), (2.35, 48.86), (51.5, -0.1), (0.0, 0.0)],
    ids=["nan lon", "nan lat", "inf lon", "inf lat", "Paris", "swapped", "null island"],
)
def test_position_without_a_grid_shift_is_nan_and_leaves_its_neighbours_alone(longitude: Any, latitude: Any) -> None:
    easting, northing = crs.to_metric_xy([LAMBETH[1], longitude, LAMBETH[1]], [LAMBETH[0], latitude, LAMBETH[0]])
    assert np.isnan([easting[1], northing[1]]).all()
    np.testing.assert_allclose(easting[[0, 2]], LAMBETH[2], rtol=0, atol=MILLIMETRE)


def test_metres_without_a_grid_shift_are_nan() -> None:
    longitude, latitude = crs.to_wgs84_xy([np.nan, np.inf, 1e9, -5.0], [1.0, 1.0, 1.0, 1.0])
    assert np.isnan(longitude).all()
    assert np.isnan(latitude).all()


def test_empty_arrays_stay_empty() -> None:
    for convert in (crs.to_metric_xy, crs.to_wgs84_xy):
        x, y = convert([], [])
        assert x.shape == y.shape == (0,)


def test_scalar_gives_one_element_and_integers_are_taken() -> None:
    longitude, latitude = crs.to_wgs84_xy(530625, 178388)
    assert longitude.shape == latitude.shape == (1,)


def test_arrays_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same length"):
        crs.to_metric_xy([0.0, 0.1], [51.5])


def test_geometry_goes_there_and_back_without_height() -> None:
    line = shapely.from_wkt("LINESTRING Z (-0.02 51.45 7, -0.01 51.46 8)")
    metric = crs.geometry_to_metric(line)
    assert not metric.has_z
    assert shapely.equals_exact(crs.geometry_to_wgs84(metric), shapely.force_2d(line), tolerance=2 * DEGREE)


def test_array_of_geometries_keeps_shape_none_and_empty() -> None:
    given_ = np.array([shapely.Point(-0.02, 51.45), None, shapely.Polygon()], dtype=object)
    metric = crs.geometry_to_metric(given_)
    assert metric.shape == (3,)
    assert metric[1] is None
    assert metric[2].is_empty


def places(code: Any, x: Any, y: Any) -> Any:
    return gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.Point(x, y)], crs=code, index=pd.Index(["k"], name="id"))


def position(frame: Any) -> Any:
    return shapely.get_coordinates(frame.geometry.to_numpy())[0]


ESRI_GRID = (  # as a shapefile's .prj writes it: no authority, other names
    'PROJCS["British_National_Grid",GEOGCS["GCS_OSGB_1936",DATUM["D_OSGB_1936",SPHEROID["Airy_1830",6377563.396,'
    '299.3249646]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
    'PARAMETER["False_Easting",400000.0],PARAMETER["False_Northing",-100000.0],PARAMETER["Central_Meridian",-2.0],'
    'PARAMETER["Scale_Factor",0.9996012717],PARAMETER["Latitude_Of_Origin",49.0],UNIT["Meter",1.0]]'
)
GRID_WITH_SHIFT = (
    "+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy "
    "+towgs84=446.448,-125.157,542.06,0.15,0.247,0.842,-20.489 +units=m"
)


@pytest.mark.parametrize("code", ["EPSG:27700", "EPSG:7405", ESRI_GRID, GRID_WITH_SHIFT])
def test_every_writing_of_the_national_grid_goes_through_ostn15(code: Any) -> None:
    latitude, longitude, easting, northing = LAMBETH
    frame = places(code, easting, northing)
    assert position(crs.to_metric(frame)) == pytest.approx([easting, northing], abs=MILLIMETRE)
    assert position(crs.to_wgs84(frame)) == pytest.approx([longitude, latitude], abs=2 * DEGREE)


@pytest.mark.parametrize("code", ["EPSG:4326", "OGC:CRS84", "EPSG:4258"])
def test_degrees_go_through_ostn15(code: Any) -> None:
    latitude, longitude, easting, northing = LAMBETH
    frame = places(code, longitude, latitude)
    assert position(crs.to_metric(frame)) == pytest.approx([easting, northing], abs=MILLIMETRE)
    assert crs.to_wgs84(frame).crs == crs.WGS84


def test_web_mercator_goes_by_way_of_degrees() -> None:
    # EPSG guidance note 7-2, spherical: x = R lon, y = R ln tan(pi/4 + lat/2), R = 6378137 m
    latitude, longitude, easting, northing = LAMBETH
    x = 6378137 * np.radians(longitude)
    y = 6378137 * np.log(np.tan(np.pi / 4 + np.radians(latitude) / 2))
    assert position(crs.to_metric(places("EPSG:3857", x, y))) == pytest.approx([easting, northing], abs=MILLIMETRE)


@pytest.mark.parametrize("convert", [crs.to_metric, crs.to_wgs84])
def test_frame_keeps_rows_index_and_columns_and_the_input_stays(convert: Any) -> None:
    frame = places("EPSG:4326", LAMBETH[1], LAMBETH[0])
    before = frame.copy()
    result = convert(frame)
    assert list(result.index) == ["k"]
    assert list(result.columns) == ["name", "geometry"]
    assert result is not frame
    pd.testing.assert_frame_equal(frame, before)


def test_frame_without_crs_is_refused() -> None:
    for convert in (crs.to_metric, crs.to_wgs84):
        with pytest.raises(CRSError, match="no CRS"):
            convert(places(None, 0.0, 51.5))


def test_frame_outside_the_grid_is_refused_with_the_count() -> None:
    with pytest.raises(CRSError, match="1 of 1 coordinates"):
        crs.to_metric(places("EPSG:4326", 51.45, -0.02))


def test_ring_outside_the_grid_is_refused() -> None:
    with pytest.raises(CRSError, match="5 of 5 coordinates"):
        crs.geometry_to_metric(shapely.box(2.0, 48.0, 3.0, 49.0))


def test_empty_frame_changes_crs_only() -> None:
    frame = gpd.GeoDataFrame({"name": []}, geometry=gpd.GeoSeries([], crs="EPSG:4326"))
    assert crs.to_metric(frame).crs == crs.METRIC


def test_guards_name_what_was_given_and_wanted() -> None:
    degrees = places("EPSG:4326", 0.0, 51.5)
    metres = places("EPSG:27700", *LAMBETH[2:])
    crs.require_wgs84(degrees)
    crs.require_metric(metres, metres)
    with pytest.raises(CRSError, match=r"EPSG:4326; wanted EPSG:27700 \(metres\)"):
        crs.require_metric(metres, degrees)
    with pytest.raises(CRSError, match="no CRS"):
        crs.require_wgs84(places(None, 0.0, 51.5))
