"""Every panel of the Deliveries dashboard shows what the exporter and forwarder of the simulated week did."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import pytest

from footfall.model import epoch_ms
from harness.influx_server import InfluxDatabase
from tests.support.grafana import Frame, Json, Viewer, dashboard, panels
from tests.support.grafana_transformations import transform
from tests.support.grafana_week import LIBRARY, NOW, DeliveryAttempt, Week, paris

BOARD = dashboard("deliveries")
START = paris(18, 0)
Check = Callable[[Week, Sequence[Frame]], None]


def newest_first(attempts: Sequence[DeliveryAttempt]) -> list[DeliveryAttempt]:
    """Return the attempts for the library's profiles."""
    own = [one for one in attempts if one.site == LIBRARY.id]
    return sorted(own, key=lambda one: (one.start_utc, one.profile), reverse=True)


def series(frame: Frame) -> dict[int, object]:
    return dict(zip(frame.columns[0].values, frame.columns[1].values, strict=True))


def owed(_: Week, frames: Sequence[Frame]) -> None:
    assert {frame.columns[1].name: frame.columns[1].values for frame in frames} == {
        "owed": [1],
        "overdue": [1],
        "needs attention": [1],
    }


def profiles(_: Week, frames: Sequence[Frame]) -> None:
    (table,) = frames
    shown = {row["profile"]: (row["Time"], row["owed"], row["overdue"], row["waiting"]) for row in table.rows()}
    assert shown == {"client": (epoch_ms(NOW), 1, 1, 1), "council": (epoch_ms(NOW), 0, 0, 0)}


def alive(_: Week, frames: Sequence[Frame]) -> None:
    assert [frame.columns[1].name for frame in frames] == ["client", "council"]
    for frame in frames:
        shown = series(frame)
        silent = [at for at, looks in shown.items() if looks == 0]
        assert silent == list(range(epoch_ms(paris(25, 5)), epoch_ms(paris(25, 7)), 900_000))
        assert set(list(shown.values())[:9]) == {7, 8}


def last_results(week: Week, frames: Sequence[Frame]) -> None:
    (matrix,) = frames
    expected: dict[str, dict[str, bool]] = {}
    for one in reversed(newest_first(week.attempts)):
        expected.setdefault(str(one.day), {})[one.profile] = not one.error
    shown = {row.pop("day\\profile"): row for row in matrix.rows()}
    assert shown == expected
    assert shown["2026-10-24"]["client"] is True, "failed first, then delivered"
    assert shown["2026-10-27"]["client"] is False


def attempts(week: Week, frames: Sequence[Frame]) -> None:
    (table,) = frames
    shown = [(row["day"], row["profile"], row["ok"], row["rows"], row["destination"]) for row in table.rows()]
    expected = [
        (str(one.day), one.profile, not one.error, one.rows, "sftp.example.org") for one in newest_first(week.attempts)
    ]
    assert sorted(shown) == sorted(expected)
    assert table.column("Time") == [epoch_ms(one.start_utc) for one in newest_first(week.attempts)]
    assert {(row["gaps"], row["attempts"], row["took_ms"]) for row in table.rows()} == {(0, 1, 900)}
    assert all(row["bytes"] == row["rows"] * 60 for row in table.rows())


def rows(week: Week, frames: Sequence[Frame]) -> None:
    shown = {frame.columns[1].name: series(frame) for frame in frames}
    expected: dict[str, dict[int, int]] = {}
    for one in newest_first(week.attempts):
        if not one.error:
            expected.setdefault(one.profile, {})[epoch_ms(one.start_utc)] = one.rows
    assert shown == expected


def errors(week: Week, frames: Sequence[Frame]) -> None:
    (table,) = frames
    shown = [(row["Time"], row["day"], row["profile"], row["error"]) for row in table.rows()]
    failed = [one for one in newest_first(week.attempts) if one.error]
    assert shown == [(epoch_ms(one.start_utc), str(one.day), one.profile, one.error) for one in failed]


def forwarder(usual: int, worst: int, since: datetime, until: datetime) -> Check:
    def check(_: Week, frames: Sequence[Frame]) -> None:
        (frame,) = frames
        assert frame.columns[1].name == "a1"
        shown = series(frame)
        expected: dict[int, int | None] = dict.fromkeys(shown, usual)
        expected |= dict.fromkeys((at for at in shown if epoch_ms(since) <= at < epoch_ms(until)), worst)
        silent = [at for at in shown if epoch_ms(paris(24, 3)) <= at < epoch_ms(paris(24, 4))]
        assert shown == expected | dict.fromkeys(silent)
        assert silent

    return check


TRUTHS: Mapping[str, Check] = {
    "Days owed": owed,
    "Profiles": profiles,
    "Exporter running": alive,
    "Result by day": last_results,
    "Attempts": attempts,
    "Rows delivered": rows,
    "Last errors": errors,
    "Lag": forwarder(2, 420, paris(23, 13), paris(23, 15)),
    "Backlog": forwarder(6, 1260, paris(23, 13), paris(23, 15)),
    "Quarantined points": forwarder(0, 5, paris(22, 9), paris(22, 10)),
}


@pytest.mark.parametrize("panel", list(panels(BOARD)), ids=lambda panel: panel["title"])
def test_panel_shows_what_happened(panel: Json, week: Week, week_database: InfluxDatabase) -> None:
    """Every query runs over the simulated week, and its numbers equal the simulated truth."""
    viewer = Viewer(week_database, START, NOW, {"site": LIBRARY.id}, LIBRARY.tz)
    frames = transform(viewer.frames(BOARD, panel), panel, viewer.zone)
    assert frames, "the panel shows nothing"
    TRUTHS[panel["title"]](week, frames)


def test_chosen_profile_hides_the_others(week_database: InfluxDatabase) -> None:
    viewer = Viewer(week_database, START, NOW, {"site": LIBRARY.id, "profile": "council"})
    panel = next(panel for panel in panels(BOARD) if panel["title"] == "Attempts")
    (table,) = viewer.frames(BOARD, panel)
    assert set(table.column("profile")) == {"council"}
