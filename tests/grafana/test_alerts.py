"""Every alert rule fires exactly when it should. The rules run over the simulated week."""

from datetime import datetime, timedelta

import pytest

from harness.influx_server import InfluxDatabase
from tests.support.grafana import dashboard, panels
from tests.support.grafana_alerts import Labels, firing, rules
from tests.support.grafana_week import BLOCKED_SINCE, END, LIBRARY, NOW, Week, capacity_at, paris

RULES = rules()
MINUTE = timedelta(minutes=1)


def labels(**names: str) -> Labels:
    return frozenset(names.items())


def door(number: int) -> Labels:
    return labels(site="library", counter=f"DOOR{number}")


def profile(name: str) -> Labels:
    return labels(site="library", profile=name)


ALL_DOORS = {door(1), door(2), door(3), door(4)}
CASES = [
    ("footfall-counter-silent", paris(22, 12), set()),
    ("footfall-counter-silent", paris(23, 13, 20), ALL_DOORS),
    ("footfall-counter-silent", paris(26, 9, 59), set()),
    ("footfall-counter-silent", paris(26, 10, 20), {door(4)}),
    ("footfall-counter-silent", paris(26, 21), set()),  # closed
    ("footfall-counter-silent", paris(27, 7, 59), set()),  # a minute before opening
    ("footfall-counter-silent", paris(27, 8, 6), {door(4)}),
    ("footfall-counter-silent", paris(27, 12), {door(2), door(4)}),
    ("footfall-counter-silent", NOW, {door(4)}),
    ("footfall-beam-blocked", BLOCKED_SINCE + 4 * MINUTE, set()),
    ("footfall-beam-blocked", BLOCKED_SINCE + 10 * MINUTE, {door(3)}),
    ("footfall-beam-blocked", NOW, {door(3)}),
    ("footfall-day-overdue", paris(27, 21), set()),
    ("footfall-day-overdue", paris(28, 11, 59), set()),
    ("footfall-day-overdue", paris(28, 12, 1), {profile("client")}),
    ("footfall-exporter-silent", paris(25, 4, 59), set()),
    (
        "footfall-exporter-silent",
        paris(25, 5, 20),
        {profile("client"), profile("council"), labels(site="annex.2", profile="annex")},
    ),
    ("footfall-exporter-silent", paris(25, 7, 6), set()),
    ("footfall-influxdb-lag", paris(23, 12, 59), set()),
    ("footfall-influxdb-lag", paris(23, 13, 1), {labels(ingest="a1")}),
    ("footfall-influxdb-lag", paris(23, 15, 1), set()),
    ("footfall-influxdb-silent", NOW, set()),
    ("footfall-influxdb-silent", paris(24, 3, 20), {labels(ingest="a1")}),
    ("footfall-influxdb-silent", END + 20 * MINUTE, {labels(ingest="a1")}),
    ("footfall-influxdb-silent", END + timedelta(days=6), {labels(ingest="a1")}),
    ("footfall-points-refused", paris(22, 9, 30), {labels(ingest="a1")}),
    ("footfall-points-refused", NOW, set()),
]


@pytest.mark.parametrize(("uid", "now_utc", "expected"), CASES, ids=[f"{uid}-{at:%d-%H%M}" for uid, at, _ in CASES])
def test_rule_fires_for_the_right_labels_and_no_others(
    uid: str, now_utc: datetime, expected: set[Labels], week_database: InfluxDatabase
) -> None:
    assert firing(RULES[uid], week_database, now_utc) == expected


def test_over_capacity_fires_exactly_while_too_many_are_inside(week: Week, week_database: InfluxDatabase) -> None:
    """Entries minus exits since the daily reset, above the site's capacity."""
    fired = {}
    expected = {}
    for day in (25, 27, 28):  # 25: clocks go back an hour before the reset
        for half in range(2 * 4 + 1, 2 * 23):
            now = min(paris(day, half // 2, half % 2 * 30), NOW)
            reset = paris(day, 4)
            inside = week.people(LIBRARY, 1, reset, now) - week.people(LIBRARY, -1, reset, now)
            expected[now] = {labels(site="library")} if inside > capacity_at(now) else set()
            fired[now] = firing(RULES["footfall-over-capacity"], week_database, now)
    assert fired == expected
    assert any(expected.values())
    assert not all(expected.values())


def test_without_any_data_only_one_rule_fires(influx_database: InfluxDatabase) -> None:
    """Missing data is never good news, but one alert is enough."""
    assert {uid for uid, rule in RULES.items() if firing(rule, influx_database, NOW) is not None} == set()
    alerting = {uid for uid, rule in RULES.items() if rule["noDataState"] == "Alerting"}
    assert alerting == {uid for uid, rule in RULES.items() if rule["execErrState"] == "Alerting"}
    assert alerting == {"footfall-influxdb-silent"}
    others = {(rule["noDataState"], rule["execErrState"]) for uid, rule in RULES.items() if uid not in alerting}
    assert others == {("KeepLast", "KeepLast")}


def test_every_rule_is_tested_to_fire() -> None:
    """A rule that was never seen to fire may never fire."""
    seen = {uid for uid, _, expected in CASES if expected} | {"footfall-over-capacity"}
    assert seen == set(RULES)


@pytest.mark.parametrize("uid", RULES)
def test_rule_links_to_the_panel_that_shows_the_problem(uid: str) -> None:
    boards = {board["uid"]: board for board in map(dashboard, ("occupancy", "counters", "deliveries"))}
    shown = {
        "footfall-counter-silent": "Last seen", "footfall-beam-blocked": "Blocked beams",
        "footfall-over-capacity": "Occupancy and capacity", "footfall-day-overdue": "Days owed",
        "footfall-exporter-silent": "Exporter running", "footfall-influxdb-lag": "Lag",
        "footfall-influxdb-silent": "Lag", "footfall-points-refused": "Quarantined points",
    }  # fmt: skip
    rule = RULES[uid]
    titles = {panel["id"]: panel["title"] for panel in panels(boards[rule["dashboardUid"]])}
    assert titles[rule["panelId"]] == shown[uid]
