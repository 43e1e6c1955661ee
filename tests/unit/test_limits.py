"""Token buckets: how many tries, how soon again, and that nothing of a network is kept."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from service.web.limits import BUCKETS_MAX, Throttle, network_of


def test_bucket_empties_and_fills_again_by_the_clock() -> None:
    throttle = Throttle(20)
    assert [throttle.take("a", now=0.0) for _ in range(20)] == [0.0] * 20
    assert throttle.take("a", now=0.0) == pytest.approx(3.0)  # 20 a minute is one in three seconds
    assert throttle.take("a", now=1.0) == pytest.approx(2.0)
    assert throttle.take("a", now=3.0) == 0.0
    assert throttle.take("b", now=3.0) == 0.0  # another network has its own


def test_looking_takes_nothing() -> None:
    throttle = Throttle(1)
    assert throttle.wait_s("a", now=0.0) == throttle.wait_s("a", now=0.0) == 0.0
    throttle.take("a", now=0.0)
    assert throttle.wait_s("a", now=15.0) == pytest.approx(45.0)


@pytest.mark.requirement("X3")
def test_network_is_forgotten_after_a_minute() -> None:
    throttle = Throttle(5)
    throttle.take("a", now=0.0)
    throttle.take("b", now=59.0)
    assert len(throttle) == 2
    throttle.take("c", now=60.0)
    assert set(throttle._buckets) == {"b", "c"}


def test_memory_is_bounded() -> None:
    throttle = Throttle(5)
    for number in range(BUCKETS_MAX + 10):
        throttle.take(str(number), now=0.0)
    assert len(throttle) == BUCKETS_MAX


@pytest.mark.parametrize(
    ("host", "network"),
    [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("unix", "unix")],
)
def test_devices_of_one_network_share_a_bucket(host: str, network: str) -> None:
    request = cast(Any, SimpleNamespace(client=SimpleNamespace(host=host)))
    assert network_of(request) == network
