"""On which terms a mark is taken: by staff, in a workshop, from paper, in the open mode, in the demo (S2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

NO_WORDS: Final = "Words are taken in workshops only, where an adult reads them. Leave them out."
NO_BORDERS: Final = "Borders are taken in workshops with a trained adult only."


@dataclass(frozen=True, slots=True)
class Terms:
    """What a mark may hold and what is stored with it.

    Parameters
    ----------
    source : str
        Where it came from: staff, demo, workshop, paper, open.
    session : str
        Contributor keys are hashed together with it: the same key in two sessions cannot be joined (C5).
    day : date
        Day it was made.
    words, borders : bool
        Whether its own words, and a border, are taken.
    no_words, no_borders : str
        What to say where they are not.
    workshop_id : int, optional
        Row of the workshop it was made in.
    once : callable of Session, optional
        Called inside the write that stores it, and not again when it is sent a second time.
    """

    source: str
    session: str
    day: date
    words: bool = False
    borders: bool = False
    no_words: str = NO_WORDS
    no_borders: str = NO_BORDERS
    workshop_id: int | None = None
    once: Callable[[Session], None] | None = None
