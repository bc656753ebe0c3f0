"""platformio.ini builds what the documentation says, with pinned versions."""

import configparser
import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.markdown_pages import page

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
HARDWARE = page("docs/hardware.md")


def environments() -> configparser.ConfigParser:
    """Return platformio.ini."""
    parsed = configparser.ConfigParser()
    parsed.read_string((FIRMWARE / "platformio.ini").read_text(encoding="utf-8"))
    return parsed


def test_both_boards_are_built_with_the_pinned_platform() -> None:
    """NodeMCU v2 and D1 mini, espressif8266 4.2.1, which brings Arduino core 3.1.2."""
    parsed = environments()
    assert parsed["platformio"]["default_envs"] == "nodemcuv2, d1_mini"
    assert [parsed[f"env:{board}"]["board"] for board in ("nodemcuv2", "d1_mini")] == ["nodemcuv2", "d1_mini"]
    assert parsed["env"]["platform"] == "espressif8266@4.2.1"
    assert parsed["env"]["framework"] == "arduino"


def test_no_library_is_fetched_without_a_pinned_version() -> None:
    """lib_deps is empty: everything else comes with the platform."""
    assert environments()["env"]["lib_deps"].strip() == ""


def test_flash_layout_is_the_one_the_queue_relies_on() -> None:
    """4 MB with 1 MB of LittleFS, so that 0x100000 to 0x200000 is free for the queue."""
    assert environments()["env"]["board_build.ldscript"] == "eagle.flash.4m1m.ld"
    ring = (FIRMWARE / "src" / "flash_ring.h").read_text(encoding="utf-8")
    start, end, size, count = (
        int(re.search(rf"{name} = (0x[0-9A-Fa-f]+|\d+);", ring)[1], 0)  # type: ignore[index]
        for name in ("kStart", "kEnd", "kSectorBytes", "kSectors")
    )
    assert (start, end) == (0x100000, 0x200000)
    assert start >= 0x1010 + 0xFEFF0  # the program's room: org 0x40201010, len 0xfeff0, flash mapped at 0x40200000
    assert start + size * count <= end


def test_no_test_folder_makes_pio_fetch_unity() -> None:
    """A folder firmware/test would; the tests are elsewhere."""
    assert not (FIRMWARE / "test").exists()


def test_serial_speed_is_the_same_everywhere() -> None:
    """In the monitor, the program and the page."""
    speed = environments()["env"]["monitor_speed"]
    assert f"kSerialBaud = {speed};" in (FIRMWARE / "src" / "board.h").read_text(encoding="utf-8")
    assert f"{speed} baud, 8N1" in HARDWARE.text
    assert f"pio device monitor --baud {speed}" in HARDWARE.text


def test_firmware_has_the_project_s_version() -> None:
    """The package, the library and the status of a batch have one version."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    board = (FIRMWARE / "src" / "board.h").read_text(encoding="utf-8")
    assert f'kFirmwareVersion[] = "{version}";' in board
    library = json.loads((FIRMWARE / "lib" / "footfall" / "library.json").read_text(encoding="utf-8"))
    assert library["version"] == version


@pytest.mark.parametrize("environment", ["nodemcuv2", "d1_mini"])
def test_page_names_the_environments(environment: str) -> None:
    """The commands on the page name existing environments."""
    assert f"--environment {environment}" in HARDWARE.text


def test_no_header_of_ours_hides_one_of_the_core() -> None:
    """On a case-insensitive disk, our server.h would hide the core's Server.h."""
    core = {
        "arduino.h", "client.h", "crypto.h", "esp.h", "fs.h", "ipaddress.h", "print.h", "printable.h", "queue.h",
        "schedule.h", "server.h", "stream.h", "ticker.h", "time.h", "udp.h", "updater.h", "user_interface.h",
    }  # fmt: skip
    ours = {path.name.lower() for folder in ("src", "lib/footfall") for path in (FIRMWARE / folder).rglob("*.h")}
    assert ours & core == set()
