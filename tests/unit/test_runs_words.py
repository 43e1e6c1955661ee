"""What a run says of its cells follows from what it counted."""

from __future__ import annotations

import pytest

from service.runs.workflow import _snapped


@pytest.mark.parametrize(
    ("cells", "able", "told"),
    [
        (643, 454, "189 of 643 cells cannot hold one"),
        (1_700, 200, "1,500 of 1,700 cells cannot hold one"),
        (400, 400, "every cell can hold one"),
    ],
)
def test_cells_without_a_point_are_counted(cells: int, able: int, told: str) -> None:
    said = _snapped({"cells": cells, "cells_that_can_hold_a_point": able})
    assert told in said
    assert "most cells" not in said
