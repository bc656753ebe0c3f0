"""`make demo-live`: the pages fill, people walk, and Ctrl-C ends every process."""

import os
import re
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import urllib3

from demo.setting import ZONE
from tests.support.processes import require_proc, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def processes_in(folder: Path) -> set[str]:
    """Return the command lines of the processes whose working directory is in *folder*."""
    found = set()
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink().is_relative_to(folder):
                found.add((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended or is not ours
            continue
    return found


def test_demo_live_shows_people_walking_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    require_proc()
    with (tmp_path / "output").open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, "-m", "demo.live", "--days", "2"], cwd=tmp_path, stdout=output, stderr=output,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def output_so_far() -> str:
        assert demo.poll() is None, (tmp_path / "output").read_text()
        return (tmp_path / "output").read_text()

    try:
        until(lambda: "Ctrl-C ends it" in output_so_far(), "the address of the pages", 120)
        address = re.search(r"http://127\.0\.0\.1:\d+", output_so_far())
        assert address is not None

        def page(path: str) -> str:
            output_so_far()
            headers = {"Accept": "text/html", "Accept-Language": "en"}
            answer = urllib3.request("GET", address[0] + path, headers=headers, timeout=20)
            assert answer.status == 200
            return answer.data.decode()

        def crossings_shown() -> int:
            return sum(int(text.replace(",", "")) for text in re.findall(r'data-figure="[a-z]+">([\d,]+)<', page("/")))

        assert 'data-figure="entries">–' not in page("/sites/mediatheque/history?period=week")
        until(lambda: crossings_shown() > 0, "today's crossings on the page", 60)
        before = crossings_shown()
        until(lambda: crossings_shown() != before, "another crossing on the page", 120)
        until(
            lambda: 'class="delivered' in page("/sites/mediatheque/deliveries?day=" + yesterday()),
            "a delivered day",
            60,
        )
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
        until(lambda: not processes_in(tmp_path), "the end of all processes", 20)
    finally:
        demo.terminate()
        demo.wait(30)


def yesterday() -> str:
    """Return yesterday's date in Paris, where the demo is."""
    return str(datetime.now(ZONE).date() - timedelta(days=1))
