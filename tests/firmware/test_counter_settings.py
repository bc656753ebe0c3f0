"""The counter's settings: set as text, checked together, never read in part."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.application import KEY, application, names, settings, written

NUMBERS = {"spacing_mm": "275", "outer_pin": "14", "inner_pin": "12"}
SWITCHES = {"blocked_level": "high", "swap": "yes"}


def test_complete_settings_have_no_problem() -> None:
    """Counter, key, url and ssid are enough."""
    with settings() as one:
        assert one.problems() == {}


def test_new_settings_report_everything_that_is_missing() -> None:
    """Every required setting is reported in a sentence."""
    with settings(counter="", key="", url="", ssid="") as one:
        problems = one.problems()
        assert sorted(problems) == ["counter", "key", "ssid", "url"]
        assert all(sentence.endswith(".") for sentences in problems.values() for sentence in sentences)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("counter", "_DOOR"),
        ("counter", "DOOR 1"),
        ("counter", "Tür"),
        ("key", KEY[:-1]),
        ("key", KEY.replace("whsec_", "")),
        ("key", "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="),  # 16 bytes: too short
        ("url", "192.168.1.20:8080"),
        ("url", "ftp://192.168.1.20"),
        ("ssid", ""),
        ("wifi_password", "1234567"),
        ("setup_password", "short"),
        ("fingerprint", "AB:CD"),
        ("spacing_mm", "39"),
        ("spacing_mm", "1001"),
    ],
)
def test_wrong_value_is_reported_for_its_setting(name: str, value: str) -> None:
    """set_setting() accepts the text; the check finds the problem and names the setting."""
    with settings(**{name: value}) as one:
        assert list(one.problems()) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("swap", "true"),
        ("blocked_level", "LOW"),
        ("spacing_mm", "10cm"),
        ("spacing_mm", "65536"),
        ("spacing_mm", "-5"),
        ("outer_pin", "256"),
        ("counter", "x" * 65),
        ("ssid", "x" * 33),
        ("ssid", "two\nlines"),
    ],
)
def test_value_of_the_wrong_type_changes_nothing(name: str, value: str) -> None:
    """The value is refused with a sentence, and the old one stays."""
    with settings() as one:
        before = one.all()
        assert (one.set(name, value) or "").endswith(".")
        assert one.all() == before


def test_unknown_setting_is_refused() -> None:
    """A misspelt name is reported."""
    with settings() as one:
        assert one.set("spacing", "100") == "There is no such setting."


def test_empty_value_is_the_default_except_for_the_time_server() -> None:
    """An empty value restores the default; an empty `ntp` means no time server."""
    with settings(spacing_mm="200", outer_pin="14", swap="yes", ntp="time.example.org") as one:
        for name in ("spacing_mm", "outer_pin", "swap", "ntp"):
            assert one.set(name, "") is None
        assert [one.get(name) for name in ("spacing_mm", "outer_pin", "swap", "ntp")] == ["100", "5", "no", ""]


@pytest.mark.parametrize("gpio", [0, 1, 2, 3, *range(6, 12), 15, 16, 17, 255])
def test_impossible_pins_are_refused_with_a_sentence(gpio: int) -> None:
    """Boot straps, the serial port, the flash's pins and GPIO16 are refused with a reason."""
    reason = application().app_refused_pin(gpio).decode()
    assert reason.endswith(".")
    with settings(outer_pin=str(gpio)) as one:
        assert one.problems() == {"outer_pin": [reason]}


@pytest.mark.parametrize("gpio", [4, 5, 12, 13, 14])
def test_possible_pins_are_taken(gpio: int) -> None:
    """D1, D2, D5, D6 and D7 carry a beam."""
    assert application().app_refused_pin(gpio) is None


def test_both_beams_on_one_pin_are_refused() -> None:
    """Two beams need two pins."""
    with settings(inner_pin="5") as one:
        assert one.problems() == {"inner_pin": ["Both beams cannot be on one pin."]}


def test_https_without_anything_to_trust_is_refused() -> None:
    """https needs a CA or a fingerprint."""
    with settings(url="https://counts.example.org") as one:
        assert list(one.problems()) == ["fingerprint"]
        assert one.problems(ca=True) == {}
        assert one.set("fingerprint", "0123456789abcdefABCD" * 2) is None
        assert one.problems() == {}


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("http://192.168.1.20:8080", "http 192.168.1.20 8080 /api/v1/crossings"),
        ("http://footfall", "http footfall 80 /api/v1/crossings"),
        ("https://counts.example.org/", "https counts.example.org 443 /api/v1/crossings"),
        ("https://example.org:8443/footfall//", "https example.org 8443 /footfall/api/v1/crossings"),
    ],
)
def test_server_address_is_parsed(text: str, parsed: str) -> None:
    """The path of the batches is appended to the address."""
    assert written(lambda buffer, size: application().app_url(text.encode(), buffer, size)) == parsed


@pytest.mark.parametrize(
    "text",
    ["", "http://", "http://:80", "http://a:0", "http://a:65536", "http://a:", "http://a b", "http://a/?x", "HTTP//a",
     "http://user@host", "http://[::1]", "http://a:80x", "http://-a"],
)  # fmt: skip
def test_invalid_address_is_refused(text: str) -> None:
    """Nothing is guessed."""
    assert written(lambda buffer, size: application().app_url(text.encode(), buffer, size)) == ""


PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "


@given(
    texts=st.fixed_dictionaries(
        {
            "ssid": st.text(PRINTABLE, max_size=32),
            "wifi_password": st.text(PRINTABLE, max_size=63),
            "ntp": st.text(PRINTABLE, max_size=64),
            "setup_password": st.text(PRINTABLE, max_size=63),
        }
    ),
    spacing=st.integers(0, 65535),
    swap=st.booleans(),
)
def test_file_gives_back_what_was_written(texts: dict[str, str], spacing: int, swap: bool) -> None:
    """Rendering and parsing return the same settings, whatever characters they contain."""
    values = texts | {"spacing_mm": str(spacing), "swap": "yes" if swap else "no"}
    with settings(**values) as one, settings() as other:
        assert other.parse(one.render())
        assert other.all() == one.all()


def test_file_with_any_byte_changed_or_missing_is_not_read() -> None:
    """A damaged file is refused as a whole, and the settings stay."""
    with settings(wifi_password="a=b long", **NUMBERS, **SWITCHES) as one, settings() as other:
        text, before = one.render(), other.all()
        for at in range(len(text)):
            changed = text[:at] + bytes([text[at] ^ 0x01]) + text[at + 1 :]
            assert not other.parse(changed), at
            assert not other.parse(text[:at]), at
        assert other.all() == before
        assert other.parse(text)


def test_unknown_settings_of_a_newer_firmware_are_ignored() -> None:
    """This allows a downgrade."""
    import zlib

    with settings() as one, settings(ssid="Other") as other:
        body = one.render().rsplit(b"check=", 1)[0] + b"later=1\n"
        assert other.parse(body + b"check=%08x\n" % zlib.crc32(body))
        assert other.get("ssid") == "Library"


def test_longest_settings_fit_the_file() -> None:
    """kSettingsTextMax holds every setting at its longest."""
    longest = {"counter": "x" * 64, "key": "k" * 96, "url": "u" * 128, "ssid": "s" * 32, "wifi_password": "w" * 63,
               "fingerprint": "f" * 40, "ntp": "n" * 64, "setup_password": "p" * 63, "spacing_mm": "65535",
               "outer_pin": "255", "inner_pin": "255", "blocked_level": "high", "swap": "yes"}  # fmt: skip
    assert set(longest) == set(names())
    with settings(**longest) as one:
        assert 0 < len(one.render()) < 1024
