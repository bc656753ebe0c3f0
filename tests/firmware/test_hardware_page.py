"""docs/hardware.md matches the counter: settings, commands, pins, LED codes. Its sums are right."""

import math

from tests.docs.markdown_pages import code, page, plain
from tests.support.application import application, names, owned, settings

HARDWARE = page("docs/hardware.md")


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    """The table lists the settings in the order of the set-up page."""
    rows = HARDWARE.rows("Settings of the counter", "setting", "default", "meaning")
    assert [code(row[0]) for row in rows] == names()
    with settings(counter="", key="", url="", ssid="") as one:
        required = set(one.problems())
        for row in rows:
            name, default = code(row[0]), plain(row[1])
            assert (default == "required") is (name in required), name
            if default not in ("required", "empty", "random"):
                assert one.get(name) == default, name


def test_every_serial_command_is_documented_and_no_other() -> None:
    """The table and `help` list the same commands."""
    documented = [code(row[0]) for row in HARDWARE.rows("Serial commands", "command", "what it does")]
    assert documented == [line.split("  ")[0] for line in application().app_help().decode().splitlines()]


def test_every_refused_pin_is_documented_and_no_other() -> None:
    """The table of pins lists those that the check refuses."""
    documented: set[int] = set()
    for row in HARDWARE.rows("Wiring", "pin", "GPIO", "why not"):
        if " to " in row[1]:
            first, last = row[1].split(" to ")
            documented |= set(range(int(first), int(last) + 1))
        else:
            documented |= {int(number) for number in row[1].split(",")}
    assert documented == {gpio for gpio in range(17) if application().app_refused_pin(gpio) is not None}


def test_led_codes_are_numbered_as_they_flash() -> None:
    """Six codes in the order of their flashes, then the blinking of the set-up network."""
    rows = HARDWARE.rows("Status LED", "flashes", "meaning", "what to do")
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5", "6", "blinks fast without a pause"]


def test_intervals_of_the_tally_are_computed_right() -> None:
    """Wilson's 95 % interval, with z = 1.96, for every row of the table."""
    rows = HARDWARE.rows("Measure your own error", "people seen", "wrong", "error", "from", "to")
    assert len(rows) >= 5
    for row in rows:
        people, wrong = int(row[0]), int(row[1])
        z = 1.96
        centre = (wrong + z * z / 2) / (people + z * z)
        half = z * math.sqrt(wrong * (people - wrong) / people + z * z / 4) / (people + z * z)
        figures = (wrong / people, max(0.0, centre - half), centre + half)
        assert [cell.replace(" %", "") for cell in row[2:]] == [f"{100 * figure:.1f}" for figure in figures], row


def test_sum_of_the_tally_example_is_right() -> None:
    """The worked example adds up, row by row and in the sentence below it."""
    rows = HARDWARE.rows(
        "Measure your own error", "quarter hour", "tally in", "counter in", "tally out", "counter out", "wrong"
    )
    counted = [[int(cell) for cell in row[1:]] for row in rows]
    for tally_in, counter_in, tally_out, counter_out, wrong in counted[:-1]:
        assert abs(tally_in - counter_in) + abs(tally_out - counter_out) == wrong
    assert [sum(column) for column in zip(*counted[:-1], strict=True)] == counted[-1]
    assert f"Here {counted[-1][4]} of {counted[-1][0] + counted[-1][2]} people" in HARDWARE.text


def test_page_says_how_the_set_up_network_is_opened() -> None:
    """The page states how long to hold the button."""
    with owned("button") as button:
        update = application().app_button_update
        assert [update(button, True, at) for at in (0, 2_999, 3_000)] == [False, False, True]
    assert "hold the FLASH button for three seconds" in HARDWARE.text.replace("\n", " ")
