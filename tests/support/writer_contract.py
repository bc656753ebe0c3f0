"""What whoever takes the forwarder's points must hold to, the real InfluxDB and the one in memory.

A test module derives from WriterContract and gives it the fixtures ``writer`` and ``held``, which returns the points
of a measurement as {(counter, time in ns): fields}.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from footfall.errors import PointsRefused
from footfall.store.points import NS_PER_MS, Point, crossing_point
from ingest.forwarder import Writer
from tests.support.journals import START_MS

Held = Callable[[str], Mapping[tuple[str, int], Mapping[str, Any]]]


def point(seq: int, counter: str = "ALLI1") -> Point:
    """Return the point of an entry."""
    return crossing_point(counter, "alliance", "s1", seq, START_MS + seq, 1, 0, undated=False)


def strange(seq: int) -> Point:
    """Return a point whose field has another type than in those before."""
    return point(seq)._replace(fields={"entries": "many"})


class WriterContract:
    """The tests. All of them begin with an empty store."""

    def test_points_are_held_once_written(self, writer: Writer, held: Held) -> None:
        writer.write([point(1), point(2), point(1, "ALLI2")])
        assert {counter for counter, _ in held("crossings")} == {"ALLI1", "ALLI2"}
        assert held("crossings")["ALLI1", (START_MS + 1) * NS_PER_MS + 1] == {"entries": 1, "exits": 0}

    def test_point_written_again_is_held_once(self, writer: Writer, held: Held) -> None:
        for _ in range(3):
            writer.write([point(1), point(2)])
        assert len(held("crossings")) == 2

    def test_others_of_a_refused_request_are_held_or_can_be_written_after(self, writer: Writer, held: Held) -> None:
        writer.write([point(1)])
        with pytest.raises(PointsRefused):
            writer.write([point(2), strange(3), point(4)])
        for good in (point(2), point(4)):
            writer.write([good])
        with pytest.raises(PointsRefused):
            writer.write([strange(3)])
        assert len(held("crossings")) == 3
