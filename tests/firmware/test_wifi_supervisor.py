"""The supervisor reconnects for ever and never restarts the board."""

import itertools

from tests.support.application import ACTIONS, application, owned

SECOND, MINUTE = 1_000, 60_000


class Station:
    """A supervisor with a clock that wraps at 2^32 ms like the board's."""

    def __init__(self, handle: int, start_ms: int = 0) -> None:
        self.handle, self.now_ms = handle, start_ms

    def run(self, duration_ms: int, *, up: bool, answer_age_ms: int = 0) -> list[tuple[int, str]]:
        """Return every (ms since the start of this call, action) while the station is *up* or not."""
        actions = []
        for passed in range(0, duration_ms, 100):
            now = (self.now_ms + passed) % 2**32
            action = ACTIONS[application().app_wifi_update(self.handle, up, answer_age_ms, now)]
            if action != "none":
                actions.append((passed, action))
        self.now_ms += duration_ms
        return actions


def test_network_is_joined_at_once_and_then_left_alone() -> None:
    """One join; nothing more while the network holds."""
    with owned("wifi") as handle:
        station = Station(handle)
        assert station.run(SECOND, up=False) == [(0, "join")]
        assert station.run(24 * 60 * MINUTE // 10, up=True) == []


def test_lost_network_is_joined_again_after_a_second() -> None:
    """A restarting router costs one second more than its restart."""
    with owned("wifi") as handle:
        station = Station(handle)
        station.run(SECOND, up=False)
        station.run(MINUTE, up=True)
        assert station.run(10 * SECOND, up=False) == [(0, "leave"), (SECOND, "join")]


def test_absent_network_is_tried_for_ever_at_least_every_eighty_seconds() -> None:
    """Attempts of 20 s, pauses of up to a minute, past the wrap of the clock."""
    with owned("wifi") as handle:
        actions = Station(handle, start_ms=2**32 - 60 * MINUTE).run(12 * 60 * MINUTE, up=False)
        joins = [at for at, action in actions if action == "join"]
        pauses = [later - earlier for earlier, later in itertools.pairwise(joins)]
        assert pauses[:7] == [21_000, 22_000, 24_000, 28_000, 36_000, 52_000, 80_000]
        assert set(pauses[7:]) == {80_000}
        assert joins[-1] > 12 * 60 * MINUTE - 81 * SECOND


def test_radio_is_switched_off_after_every_fifth_failure() -> None:
    """A stuck radio is restarted; the counter is not."""
    with owned("wifi") as handle:
        endings = [action for _, action in Station(handle).run(60 * MINUTE, up=False) if action != "join"]
        assert len(endings) > 40
        assert [at for at, action in enumerate(endings, 1) if action == "radio off"] == list(
            range(5, len(endings) + 1, 5)
        )


def test_pauses_are_short_again_after_a_success() -> None:
    """A success resets the backoff."""
    with owned("wifi") as handle:
        station = Station(handle)
        station.run(30 * MINUTE, up=False)
        station.run(2 * MINUTE, up=True)
        assert station.run(60 * SECOND, up=False)[:3] == [(0, "leave"), (SECOND, "join"), (21_000, "leave")]


def test_network_without_answers_is_rejoined_every_quarter_of_an_hour() -> None:
    """The server's answers count, not the radio's status. A new connection gets a quarter of an hour first."""
    with owned("wifi") as handle:
        station = Station(handle)
        station.run(SECOND, up=False)
        silent = station.run(46 * MINUTE, up=True, answer_age_ms=60 * MINUTE)
        assert [action for _, action in silent] == ["leave", "join"] * 3
        assert silent[0][0] == 15 * MINUTE
