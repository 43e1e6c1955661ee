"""Arrays behind the exact area index: which grid cells an edge crosses, which cells an area covers whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

NOWHERE: Final = -1  # no area holds this cell
FINE: Final = 8  # fine cells along one side of a coarse cell; a power of two, so that scaling by it is exact

# An edge this close to a cell [fine cells] counts as inside it. Rounding in the transforms below stays under 1e-5 of a
# cell, so a cell without an edge is whole on one side whatever the last digit of a coordinate.
_MARGIN: Final = 1e-4
# An edge flatter than this [fine cells] marks its whole width: the slope would lose too many digits.
_FLAT: Final = 1e-3


@dataclass(frozen=True)
class Edges:
    """Ring edges of every area, in fine cells from the grid's corner, with the position of their area."""

    u0: FloatArray
    v0: FloatArray
    u1: FloatArray
    v1: FloatArray
    area: IntArray


@dataclass(frozen=True)
class Intervals:
    """Runs of cells ``[first, stop)`` of one row whose centres an area holds."""

    area: IntArray
    row: IntArray
    first: IntArray
    stop: IntArray


@dataclass(frozen=True)
class Tables:
    """The two levels of the index.

    ``coarse`` holds an area position, ``NOWHERE``, or ``-2 - block``; ``fine`` (``FINE * FINE`` values a block) holds
    an area position, ``NOWHERE``, or ``-2 - boundary cell``; the areas to test in boundary cell ``j`` are
    ``candidates[start[j]:start[j + 1]]``, lowest position first.
    """

    coarse: npt.NDArray[np.int32]
    fine: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    candidates: npt.NDArray[np.int32]


def build_tables(edges: Edges, *, columns: int, rows: int, areas: int) -> Tables:
    """Build both levels of the index from the ring edges.

    Parameters
    ----------
    edges : Edges
        All ring edges [fine cells]; each coordinate lies at least one coarse cell inside the grid.
    columns, rows : int
        Size of the coarse grid.
    areas : int
        Number of areas.

    Returns
    -------
    Tables
        See the class.
    """
    cells, area = _crossed_cells(edges, fine_columns=columns * FINE)
    cells, area = np.divmod(sorted_unique(cells * areas + area), areas)
    fine_row, fine_column = np.divmod(cells, columns * FINE)
    coarse_cell = (fine_row // FINE) * columns + fine_column // FINE
    coarse = _coarse_table(edges, columns, rows, areas)
    is_block = np.zeros(len(coarse), dtype=bool)
    is_block[coarse_cell] = True
    block_ids = np.flatnonzero(is_block)
    block = (np.cumsum(is_block) - 1)[coarse_cell]
    coarse[block_ids] = -2 - np.arange(len(block_ids), dtype=np.int32)

    crossed = block * FINE**2 + (fine_row % FINE) * FINE + fine_column % FINE
    filled, filled_area = _filled_in_blocks(edges, block_ids, columns, rows)
    fine = np.full(len(block_ids) * FINE**2, areas, dtype=np.int32)
    np.minimum.at(fine, filled, filled_area.astype(np.int32))
    fine[fine == areas] = NOWHERE

    # An area can cover a boundary cell of others without an edge in it (overlaps): it is a candidate there too.
    is_crossed = np.zeros(len(fine), dtype=bool)
    is_crossed[crossed] = True
    also = is_crossed[filled]
    keys = sorted_unique(np.concatenate([crossed * areas + area, filled[also] * areas + filled_area[also]]))
    cell, candidate = np.divmod(keys, areas)
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    fine[cell[first]] = -2 - np.arange(len(first), dtype=np.int32)
    start = np.append(first, len(cell)).astype(np.int32)
    return Tables(coarse=coarse, fine=fine, start=start, candidates=candidate.astype(np.int32))


def expand(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Repeat each index as often as its count says, beside a running number within it.

    Parameters
    ----------
    counts : ndarray of int, shape (n,)
        How often each index appears; negative counts are taken as none.

    Returns
    -------
    index, step : ndarray of int, shape (counts.sum(),)
        ``[2, 0, 1]`` gives ``[0, 0, 2]`` and ``[0, 1, 0]``.
    """
    counts = np.maximum(counts, 0)
    index = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    return index, step


def sorted_unique(keys: IntArray) -> IntArray:
    """Sort keys of any size and drop repeats; ten times as fast here as the hash table behind ``numpy.unique``.

    Parameters
    ----------
    keys : ndarray of int, shape (n,)
        Keys in any order.

    Returns
    -------
    ndarray of int
        Each key once, ascending.
    """
    ordered = np.sort(keys)
    is_new = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return ordered[is_new]


def _crossed_cells(edges: Edges, *, fine_columns: int) -> tuple[IntArray, IntArray]:
    """Fine cells within ``_MARGIN`` of an edge, with the edge's area; some appear more than once."""
    u_min, u_max = np.minimum(edges.u0, edges.u1), np.maximum(edges.u0, edges.u1)
    v_min, v_max = np.minimum(edges.v0, edges.v1), np.maximum(edges.v0, edges.v1)
    first = np.floor(v_min - _MARGIN).astype(np.int64)
    last = np.floor(v_max + _MARGIN).astype(np.int64)
    edge, step = expand(last - first + 1)
    row = first[edge] + step

    height = (edges.v1 - edges.v0)[edge]
    flat = np.abs(height) < _FLAT
    slope = (edges.u1 - edges.u0)[edge] / np.where(flat, 1.0, height)
    low = edges.u0[edge] + (np.maximum(row - _MARGIN, v_min[edge]) - edges.v0[edge]) * slope
    high = edges.u0[edge] + (np.minimum(row + 1 + _MARGIN, v_max[edge]) - edges.v0[edge]) * slope
    left = np.where(flat, u_min[edge], np.maximum(np.minimum(low, high), u_min[edge]))
    right = np.where(flat, u_max[edge], np.minimum(np.maximum(low, high), u_max[edge]))

    left_column = np.floor(left - _MARGIN).astype(np.int64)
    right_column = np.floor(right + _MARGIN).astype(np.int64)
    part, step = expand(right_column - left_column + 1)
    return row[part] * fine_columns + left_column[part] + step, edges.area[edge[part]]


def _intervals(edges: Edges, *, scale: int, columns: int, rows: int) -> Intervals:
    """Even-odd scan lines through the row centres; a column belongs to a run when its centre does."""
    v0, v1 = edges.v0 / scale, edges.v1 / scale
    first = np.ceil(np.minimum(v0, v1) - 0.5).astype(np.int64)
    stop = np.ceil(np.maximum(v0, v1) - 0.5).astype(np.int64)
    edge, step = expand(stop - first)
    row = first[edge] + step
    along = (row + 0.5 - v0[edge]) / (v1 - v0)[edge]
    crossing = (edges.u0[edge] + along * (edges.u1 - edges.u0)[edge]) / scale
    column = np.clip(np.ceil(crossing - 0.5).astype(np.int64), 0, columns)
    # one sort of one integer key (area, row, column); rings are closed, so crossings come in pairs
    keys = np.sort((edges.area[edge] * rows + row) * (columns + 1) + column)
    line, first_column = np.divmod(keys[0::2], columns + 1)
    area, line_row = np.divmod(line, rows)
    return Intervals(area=area, row=line_row, first=first_column, stop=keys[1::2] % (columns + 1))


def _coarse_table(edges: Edges, columns: int, rows: int, areas: int) -> npt.NDArray[np.int32]:
    """Lowest area whose run holds each coarse cell; right for every cell that no edge crosses."""
    runs = _intervals(edges, scale=FINE, columns=columns, rows=rows)
    run, step = expand(runs.stop - runs.first)
    table = np.full(columns * rows, areas, dtype=np.int32)
    np.minimum.at(table, (runs.row * columns + runs.first)[run] + step, runs.area[run].astype(np.int32))
    table[table == areas] = NOWHERE
    return table


def _filled_in_blocks(edges: Edges, block_ids: IntArray, columns: int, rows: int) -> tuple[IntArray, IntArray]:
    """Fine cells (numbered block by block) whose centre an area holds, with that area."""
    runs = _intervals(edges, scale=1, columns=columns * FINE, rows=rows * FINE)
    some = runs.stop > runs.first
    area, row, first, stop = runs.area[some], runs.row[some], runs.first[some], runs.stop[some]
    line = (row // FINE) * columns
    from_block = np.searchsorted(block_ids, line + first // FINE)
    to_block = np.searchsorted(block_ids, line + (stop - 1) // FINE, side="right")
    run, step = expand(to_block - from_block)
    block = from_block[run] + step
    base = (block_ids[block] % columns) * FINE
    left = np.maximum(first[run] - base, 0)
    right = np.minimum(stop[run] - base, FINE)
    part, step = expand(right - left)
    cell = block * FINE**2 + (row[run] % FINE) * FINE + left
    return cell[part] + step, area[run[part]]
