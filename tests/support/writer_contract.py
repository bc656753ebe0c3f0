"""The contract of every PointWriter, the real one and the fake in memory.

A test module derives from WriterContract and provides two fixtures: ``writer``, and ``held``, which returns the points
of a measurement as {(counter, time in ns): fields}.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from footfall.errors import PointsRefused
from footfall.store.points import NS_PER_MS, Point, crossing_point, tags_of
from ingest.forwarder import PointWriter
from tests.support.journals import START_MS

Held = Callable[[str], Mapping[tuple[str, int], Mapping[str, Any]]]


def point(seq: int, counter: str = "ALLI1") -> Point:
    """Return the point of an entry."""
    return crossing_point(tags_of(counter=counter, site="alliance"), "", seq, START_MS + seq, 1, 0)


def mistyped(seq: int) -> Point:
    """Return a point whose field has another type than in earlier points."""
    return point(seq)._replace(fields={"entries": "many"})


class WriterContract:
    """The tests. Each starts with an empty store."""

    def test_points_are_held_once_written(self, writer: PointWriter, held: Held) -> None:
        writer.write([point(1), point(2), point(1, "ALLI2")])
        assert {counter for counter, _ in held("crossings")} == {"ALLI1", "ALLI2"}
        assert held("crossings")["ALLI1", (START_MS + 1) * NS_PER_MS + 1] == {"entries": 1, "exits": 0}

    def test_point_written_again_is_held_once(self, writer: PointWriter, held: Held) -> None:
        for _ in range(3):
            writer.write([point(1), point(2)])
        assert len(held("crossings")) == 2

    def test_other_points_of_a_refused_request_are_held_or_can_be_written_later(
        self, writer: PointWriter, held: Held
    ) -> None:
        writer.write([point(1)])
        with pytest.raises(PointsRefused):
            writer.write([point(2), mistyped(3), point(4)])
        for good in (point(2), point(4)):
            writer.write([good])
        with pytest.raises(PointsRefused):
            writer.write([mistyped(3)])
        assert len(held("crossings")) == 3
