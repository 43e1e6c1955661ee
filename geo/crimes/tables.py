"""The police's own names as data: crime types with what they do not mean (P6), and the forces."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

LICENCE: Final = "Open Government Licence v3.0"
SOURCE: Final = "data.police.uk (Home Office)"
SAMPLE_LICENCE: Final = "Made up: no licence applies"
SAMPLE_SOURCE: Final = "Sample data in the layout of data.police.uk"

CAVEATS: Final[tuple[str, ...]] = (
    "Reported to the police: much of what happens is never reported.",
    "A point is a street centre or public place near the event, never the true spot.",
    "The date is a month: this data holds no day and no hour, and says nothing of the age of a victim.",
    "Counts of areas may differ from the force's own published counts, which remain the reference.",
    "A month or force that is not held is missing; it is never counted as zero.",
)


class Category(NamedTuple):
    """A crime type as the police name it."""

    slug: str
    name: str
    note: str


# Slugs: the API's crime-categories method. Names: the "Crime type" column of the street files. Both as published at
# data.police.uk/about; where the two differ ("Violence and sexual offences" is "violent-crime") the slug is kept.
CATEGORIES: Final[tuple[Category, ...]] = (
    Category(
        "anti-social-behaviour",
        "Anti-social behaviour",
        "Incidents, not notifiable offences; they carry no Crime ID. Recording differs much between forces.",
    ),
    Category("bicycle-theft", "Bicycle theft", "A category of its own since May 2013; before, part of other theft."),
    Category("burglary", "Burglary", "Homes and other buildings together."),
    Category("criminal-damage-arson", "Criminal damage and arson", "Damage to buildings and vehicles, and arson."),
    Category("drugs", "Drugs", "Recorded mainly when the police find it: counts follow police activity too."),
    Category("other-crime", "Other crime", "Forgery, perjury and other offences that fit nowhere else."),
    Category("other-theft", "Other theft", "Theft by an employee, blackmail and making off without payment."),
    Category(
        "possession-of-weapons",
        "Possession of weapons",
        "Having a weapon, such as a knife or a firearm, found on a person. This is not knife crime: knife crime counts "
        "offences in which a knife was used or threatened, and those stand under violence or robbery.",
    ),
    Category(
        "public-disorder-weapons",
        "Public disorder and weapons",
        "Used from September 2011 to April 2013; then split into public order and possession of weapons.",
    ),
    Category("public-order", "Public order", "Offences which cause fear, alarm or distress."),
    Category("robbery", "Robbery", "Theft with force or the threat of force, from persons and businesses."),
    Category("shoplifting", "Shoplifting", "Theft from shops; a category of its own since September 2011."),
    Category(
        "theft-from-the-person",
        "Theft from the person",
        "Bag snatching and pick-pocketing without force; a category of its own since May 2013.",
    ),
    Category("vehicle-crime", "Vehicle crime", "Theft of or from a vehicle, and interference with one."),
    Category(
        "violent-crime",
        "Violence and sexual offences",
        "From common assault to sexual offences, in one category that cannot be split. Named Violent crime until "
        "April 2013. Forces recorded violence more fully after the inspections of 2014: a rise can be better "
        "recording.",
    ),
)

_OLD_CATEGORY_NAMES: Final = {"Violent crime": "violent-crime", "Public disorder": "public-order"}


class RecordingBreak(NamedTuple):
    """A change of recording that a series must show as a line."""

    force: str
    month: str
    categories: tuple[str, ...]
    note: str


RECORDING_BREAKS: Final[tuple[RecordingBreak, ...]] = (
    RecordingBreak(
        "metropolitan",
        "2024-02",
        (),
        "On 28 February 2024 the Metropolitan Police changed its recording system: counts of hate crime and domestic "
        "abuse before and after do not compare.",
    ),
    RecordingBreak(
        "greater-manchester",
        "2019-07",
        (),
        "Greater Manchester Police published no street-level crimes from July 2019 for years: missing, not zero.",
    ),
)


class Force(NamedTuple):
    """A police force as the archive names it."""

    slug: str
    name: str


TRANSPORT_POLICE: Final = "btp"

# The 43 territorial forces of England and Wales, then transport police and Northern Ireland: slugs as in the archive's
# file names (2018-06-metropolitan-street.csv), names as in the columns "Reported by" and "Falls within".
FORCES: Final[tuple[Force, ...]] = (
    Force("avon-and-somerset", "Avon and Somerset Constabulary"),
    Force("bedfordshire", "Bedfordshire Police"),
    Force("cambridgeshire", "Cambridgeshire Constabulary"),
    Force("cheshire", "Cheshire Constabulary"),
    Force("city-of-london", "City of London Police"),
    Force("cleveland", "Cleveland Police"),
    Force("cumbria", "Cumbria Constabulary"),
    Force("derbyshire", "Derbyshire Constabulary"),
    Force("devon-and-cornwall", "Devon & Cornwall Police"),
    Force("dorset", "Dorset Police"),
    Force("durham", "Durham Constabulary"),
    Force("dyfed-powys", "Dyfed-Powys Police"),
    Force("essex", "Essex Police"),
    Force("gloucestershire", "Gloucestershire Constabulary"),
    Force("greater-manchester", "Greater Manchester Police"),
    Force("gwent", "Gwent Police"),
    Force("hampshire", "Hampshire Constabulary"),
    Force("hertfordshire", "Hertfordshire Constabulary"),
    Force("humberside", "Humberside Police"),
    Force("kent", "Kent Police"),
    Force("lancashire", "Lancashire Constabulary"),
    Force("leicestershire", "Leicestershire Police"),
    Force("lincolnshire", "Lincolnshire Police"),
    Force("merseyside", "Merseyside Police"),
    Force("metropolitan", "Metropolitan Police Service"),
    Force("norfolk", "Norfolk Constabulary"),
    Force("north-wales", "North Wales Police"),
    Force("north-yorkshire", "North Yorkshire Police"),
    Force("northamptonshire", "Northamptonshire Police"),
    Force("northumbria", "Northumbria Police"),
    Force("nottinghamshire", "Nottinghamshire Police"),
    Force("south-wales", "South Wales Police"),
    Force("south-yorkshire", "South Yorkshire Police"),
    Force("staffordshire", "Staffordshire Police"),
    Force("suffolk", "Suffolk Constabulary"),
    Force("surrey", "Surrey Police"),
    Force("sussex", "Sussex Police"),
    Force("thames-valley", "Thames Valley Police"),
    Force("warwickshire", "Warwickshire Police"),
    Force("west-mercia", "West Mercia Police"),
    Force("west-midlands", "West Midlands Police"),
    Force("west-yorkshire", "West Yorkshire Police"),
    Force("wiltshire", "Wiltshire Police"),
    Force(TRANSPORT_POLICE, "British Transport Police"),
    Force("northern-ireland", "Police Service of Northern Ireland"),
)

# Names that the same force had or got in other years, and short forms people type.
_OTHER_FORCE_NAMES: Final = {
    "Avon and Somerset Police": "avon-and-somerset",
    "Cambridgeshire Police": "cambridgeshire",
    "Cheshire Police": "cheshire",
    "Cumbria Police": "cumbria",
    "Derbyshire Police": "derbyshire",
    "Devon and Cornwall Constabulary": "devon-and-cornwall",
    "Gloucestershire Police": "gloucestershire",
    "Hampshire and Isle of Wight Constabulary": "hampshire",
    "Hampshire Police": "hampshire",
    "Lancashire Police": "lancashire",
    "Leicestershire Constabulary": "leicestershire",
    "Metropolitan Police": "metropolitan",
    "Norfolk Police": "norfolk",
    "Suffolk Police": "suffolk",
    "West Mercia Constabulary": "west-mercia",
    "Transport police": TRANSPORT_POLICE,
    "Met": "metropolitan",
    "PSNI": "northern-ireland",
}

_SLUG = re.compile(r"[a-z][a-z-]{2,49}")


def _fold(name: str) -> str:
    return " ".join(name.replace("&", " and ").replace("-", " ").lower().split())


FORCE_NAMES: Final = {force.slug: force.name for force in FORCES}
CATEGORY_NAMES: Final = {category.slug: category.name for category in CATEGORIES}

_FORCE_BY_NAME: Final = (
    {_fold(name): slug for name, slug in _OTHER_FORCE_NAMES.items()}
    | {_fold(force.name): force.slug for force in FORCES}
    | {_fold(force.slug): force.slug for force in FORCES}
)
_CATEGORY_BY_NAME: Final = (
    {_fold(name): slug for name, slug in _OLD_CATEGORY_NAMES.items()}
    | {_fold(category.name): category.slug for category in CATEGORIES}
    | {_fold(category.slug): category.slug for category in CATEGORIES}
)


def force_slug(name: str) -> str | None:
    """Slug of a force from its name or slug, in any case; None where it is not known.

    Parameters
    ----------
    name : str
        As in the columns "Reported by" and "Falls within", in a file name, or typed by a person.

    Returns
    -------
    str or None
        As the archive names the force, e.g. ``metropolitan``.

    Examples
    --------
    >>> force_slug("Devon & Cornwall Police")
    'devon-and-cornwall'
    """
    return _FORCE_BY_NAME.get(_fold(name))


def category_slug(name: str) -> str | None:
    """Slug of a crime type from its name or slug; None where it cannot be one.

    A type that the table does not know keeps the police's name as a slug of its own: nothing is filed under another
    category (P6).

    Parameters
    ----------
    name : str
        As in the column "Crime type" or the API's ``category``.

    Returns
    -------
    str or None
        Slug of the police API, e.g. ``violent-crime``.

    Examples
    --------
    >>> category_slug("Violence and sexual offences")
    'violent-crime'
    >>> category_slug("Fly tipping")
    'fly-tipping'
    """
    known = _CATEGORY_BY_NAME.get(_fold(name))
    if known is not None:
        return known
    slug = _fold(name).replace(" ", "-")
    return slug if _SLUG.fullmatch(slug) else None
