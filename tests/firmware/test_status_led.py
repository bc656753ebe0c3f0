"""The status LED shows the most serious condition."""

import pytest

from tests.support.application import application

MINUTE = 60_000


def code(
    *,
    portal: bool = False,
    trouble: bool = False,
    blocked_s: int = 0,
    refused: bool = False,
    joined: bool = True,
    age_ms: int = 0,
) -> int:
    """Return the LED's code; by default all is well."""
    shown: int = application().app_led_code(portal, trouble, blocked_s, refused, joined, age_ms)
    return shown


def flashes(shown: int, start_ms: int) -> int:
    """Return the number of flashes in one group of four seconds."""
    lit = [application().app_led_is_lit(shown, start_ms + at) for at in range(0, 4_000, 10)]
    return sum(1 for at, now in enumerate(lit) if now and (at == 0 or not lit[at - 1]))


@pytest.mark.parametrize("start_ms", [0, 4_000 * 1_000_000])
@pytest.mark.parametrize("shown", range(1, 7))
def test_code_is_its_number_of_flashes(shown: int, start_ms: int) -> None:
    """Code 3 flashes three times, then stays dark for longer than between flashes."""
    assert flashes(shown, start_ms) == shown
    dark = [not application().app_led_is_lit(shown, start_ms + at) for at in range(2_520, 4_000, 10)]
    assert all(dark)


def test_set_up_network_blinks_without_a_pause() -> None:
    """Five times a second."""
    assert flashes(7, 0) == 20


def test_each_fact_has_its_code() -> None:
    """docs/hardware.md, "Status LED"."""
    assert code() == 1
    assert code(joined=False, age_ms=60 * MINUTE) == 2
    assert code(age_ms=5 * MINUTE) == 3
    assert code(age_ms=5 * MINUTE - 1) == 1
    assert code(refused=True) == 4
    assert code(blocked_s=60) == 5
    assert code(blocked_s=59) == 1
    assert code(trouble=True) == 6
    assert code(portal=True) == 7


def test_lost_counts_are_shown_before_delayed_ones() -> None:
    """If several codes apply, the LED shows the highest."""
    assert code(joined=False, blocked_s=60) == 5
    assert code(joined=False, blocked_s=60, trouble=True, refused=True) == 6
    assert code(refused=True, age_ms=60 * MINUTE) == 4
