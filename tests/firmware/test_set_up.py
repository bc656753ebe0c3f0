"""Setting up a counter: the serial console, the set-up page, the button."""

import ctypes
import html.parser

from tests.firmware.test_counter_settings import PRINTABLE
from tests.support.application import COMMANDS, KEY, application, names, owned, settings

PEM = "-----BEGIN CERTIFICATE-----\n" + "\n".join("A" * 64 for _ in range(30)) + "\n-----END CERTIFICATE-----\n"


def typed(text: str, console: int | None = None) -> list[tuple[str, str, str]]:
    """Return every (command, name, value) from typing *text*, by default into a new console."""
    if console is None:
        with owned("console") as own:
            return typed(text, own)
    given = []
    for letter in text.encode():
        name, value = ctypes.c_char_p(), ctypes.c_char_p()
        kind = application().app_console_feed(console, letter, ctypes.byref(name), ctypes.byref(value))
        if COMMANDS[kind] != "none":
            given.append((COMMANDS[kind], (name.value or b"").decode(), (value.value or b"").decode()))
    return given


def test_every_command_of_the_help_is_understood() -> None:
    """The console accepts every command that `help` lists."""
    listed = [line.split("  ")[0] for line in application().app_help().decode().splitlines()]
    assert len(listed) == 11
    for command in listed:
        if command not in ("ca", "set NAME VALUE"):
            assert [kind for kind, _, _ in typed(command + "\n")] == [command]


def test_setting_takes_the_rest_of_the_line_as_it_is() -> None:
    """A value may contain spaces and equals signs; the first space ends the name."""
    assert typed("set ssid The  Library = 2\r\n") == [("set", "ssid", "The  Library = 2")]
    assert typed("set swap\n") == [("set", "swap", "")]


def test_line_ends_of_every_terminal_are_taken() -> None:
    """CR, LF and CRLF end a line; empty lines are ignored; backspace and delete remove a character."""
    assert typed("show\rstatus\n\r\n\n") == [("show", "", ""), ("status", "", "")]
    assert typed("shoo\bw\n") == typed("\b\bshoo\x7fw\n") == [("show", "", "")]


def test_unknown_command_is_reported() -> None:
    """Commands are case-sensitive and complete."""
    assert typed("reboot\nset\nSHOW\n") == [("unknown", "", "")] * 3


def test_formatting_the_queue_must_be_asked_for_twice_in_a_row() -> None:
    """The only command that can lose crossings must be repeated, with nothing in between."""
    assert [kind for kind, _, _ in typed("format queue\nformat queue\nformat queue\n")] == [
        "format queue", "format queue yes", "format queue",
    ]  # fmt: skip
    assert [kind for kind, _, _ in typed("format queue\nstatus\nformat queue\n")] == [
        "format queue", "status", "format queue",
    ]  # fmt: skip


def test_pasted_certificate_comes_line_by_line_up_to_its_end() -> None:
    """After `ca`, every line belongs to the certificate until its END line."""
    lines = PEM.splitlines()
    pasted = [("ca line", "", line) for line in lines[:-1]] + [("ca end", "", lines[-1])]
    assert typed(f"ca\n{PEM}status\n") == [*pasted, ("status", "", "")]
    assert typed("ca\r" + PEM.replace("\n", "\r\n") + "status\r") == [*pasted, ("status", "", "")]


def test_line_that_is_too_long_is_refused_and_discarded() -> None:
    """Noise on the line neither overflows the buffer nor leaves half a command behind."""
    assert typed("x" * 10_000 + "\nstatus\n") == [("too long", "", ""), ("status", "", "")]
    assert typed("ca\n" + "A" * 10_000 + "\nstatus\n") == [("too long", "", ""), ("status", "", "")]


class Form(html.parser.HTMLParser):
    """Collects the page's fields and the problems shown beside them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, dict[str, str | None]] = {}
        self.wrong: list[str] = []
        self.in_wrong = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input":
            self.fields[str(given["name"])] = given
        self.in_wrong = given.get("class") == "wrong"

    def handle_data(self, data: str) -> None:
        if self.in_wrong:
            self.wrong.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.in_wrong = False


def test_page_has_a_field_for_every_setting_with_its_value() -> None:
    """The set-up page shows all settings in their order."""
    with settings(swap="yes", spacing_mm="200") as one:
        fields = Form(one.page()).fields
        assert list(fields) == names()
        assert fields["ssid"]["value"] == "Library"
        assert (fields["swap"]["value"], fields["spacing_mm"]["value"]) == ("yes", "200")


def test_page_never_shows_a_key_or_a_password() -> None:
    """The page shows whether a secret is set, not its value."""
    with settings(wifi_password="correct horse", setup_password="battery staple") as one:
        page = one.page()
        assert KEY not in page
        assert "correct horse" not in page
        assert "battery staple" not in page
        assert "value" not in Form(page).fields["key"]
        assert Form(page).fields["key"]["placeholder"] == "set; leave empty to keep it"
    with settings(key="") as one:
        assert Form(one.page()).fields["key"]["placeholder"] == "not set"


def test_page_shows_every_problem() -> None:
    """Each problem is beside its field."""
    with settings(counter="", outer_pin="16", spacing_mm="5") as one:
        sentences = [sentence for sentences in one.problems().values() for sentence in sentences]
        assert sorted(Form(one.page()).wrong) == sorted(sentences)
        assert len(sentences) == 3


def test_page_shows_values_as_text_whatever_they_hold() -> None:
    """A network's name cannot inject anything into the page."""
    for start in range(0, len(PRINTABLE), 30):
        name = PRINTABLE[start : start + 30]
        with settings(ssid=name) as one:
            assert Form(one.page()).fields["ssid"]["value"] == name


def test_button_fires_once_after_three_seconds() -> None:
    """A knock or a bounce does nothing; a long press fires once."""
    with owned("button") as button:

        def update(down: bool, now_ms: int) -> bool:
            fired: bool = application().app_button_update(button, down, now_ms % 2**32)
            return fired

        wrap = 2**32 - 1_000
        assert not update(True, 0)
        assert not update(True, 2_999)
        assert not update(False, 3_000)
        assert not update(True, wrap)
        assert not update(True, wrap + 2_999)
        assert update(True, wrap + 3_000)
        assert not update(True, wrap + 60_000)
        assert not update(False, wrap + 61_000)
        assert not update(True, wrap + 62_000)
        assert update(True, wrap + 65_000)
