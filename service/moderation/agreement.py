"""How well two moderators agree, by class of act and never by person: shares with Wilson intervals, Cohen's kappa."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from service.core import Core
from service.moderation import store
from service.moderation.schemas import AgreementOut, AgreementRow
from service.people.access import Principal, Right

Z: Final = 1.959963984540054  # two-sided 95 % of the normal distribution
Pair = tuple[str, str, int]


def agreement(core: Core, principal: Principal) -> AgreementOut:
    """Return how often the second moderator did the same, once there are enough second looks.

    Raises
    ------
    NotSignedInError, ForbiddenError
        If the caller does not moderate for all teams.
    """
    principal.require(Right.MODERATE)
    with core.store.read() as session:
        pairs = store.looks(session)
    total = sum(number for _, _, number in pairs)
    least = core.settings.agreement_from
    if total < least:
        return AgreementOut(total=total, least=least, rows=[], kappa=None, kappa_low=None, kappa_high=None)
    kappa, low, high = cohens_kappa(pairs) or (None, None, None)
    return AgreementOut(
        total=total, least=least, rows=agreement_rows(pairs), kappa=kappa, kappa_low=low, kappa_high=high
    )


def agreement_rows(pairs: Sequence[Pair]) -> list[AgreementRow]:
    """Return the share of same acts by the first act, in order of name."""
    rows = []
    for act in sorted({first for first, _, _ in pairs}):
        total = sum(number for first, _, number in pairs if first == act)
        same = sum(number for first, second, number in pairs if first == act == second)
        low, high = wilson(same, total)
        percent = [round(100 * value, 1) for value in (same / total, low, high)]
        rows.append(AgreementRow(act=act, same=same, total=total, percent=percent[0], low=percent[1], high=percent[2]))
    return rows


def wilson(same: int, total: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927).

    Parameters
    ----------
    same, total : int
        ``same`` of ``total``; the total is at least one.

    Returns
    -------
    tuple of float
        Lower and upper end, between 0 and 1.
    """
    share = same / total
    middle = share + Z**2 / (2 * total)
    half = Z * math.sqrt(share * (1 - share) / total + Z**2 / (4 * total**2))
    below = 1 + Z**2 / total
    return max((middle - half) / below, 0.0), min((middle + half) / below, 1.0)


def cohens_kappa(pairs: Sequence[Pair]) -> tuple[float, float, float] | None:
    """Return Cohen's kappa and its 95 % interval (Cohen 1960, standard error of his equation 7).

    Parameters
    ----------
    pairs : sequence of (str, str, int)
        First act, second act, how often.

    Returns
    -------
    tuple of float or None
        Kappa, lower and upper end, to three decimals; None where chance alone explains everything.
    """
    total = sum(number for _, _, number in pairs)
    acts = {act for first, second, _ in pairs for act in (first, second)}
    observed = sum(number for first, second, number in pairs if first == second) / total
    expected = sum(
        sum(n for first, _, n in pairs if first == act) * sum(n for _, second, n in pairs if second == act)
        for act in acts
    ) / (total * total)
    if math.isclose(expected, 1.0):
        return None
    kappa = (observed - expected) / (1 - expected)
    error = math.sqrt(observed * (1 - observed) / total) / (1 - expected)
    return round(kappa, 3), round(max(kappa - Z * error, -1.0), 3), round(min(kappa + Z * error, 1.0), 3)
