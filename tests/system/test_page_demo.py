"""`make demo-live`: the pages fill, visitors cross, and Ctrl-C leaves no process behind."""

import os
import re
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import urllib3

from demo.demo_site import ZONE
from harness.installation import STOP_TIMEOUT_S
from tests.support.process_checks import require_proc, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DELIVERIES = "/sites/mediatheque/deliveries?day="


def processes_in(folder: Path) -> set[str]:
    """Return the command lines of the processes whose working directory is in *folder*."""
    found = set()
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink().is_relative_to(folder):
                found.add((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # ended, or not ours
            continue
    return found


def test_demo_live_shows_live_visitors_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    require_proc()
    with (tmp_path / "output").open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, "-m", "demo.live", "--days", "2"], cwd=tmp_path, stdout=output, stderr=output,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def printed() -> str:
        assert demo.poll() is None, (tmp_path / "output").read_text()
        return (tmp_path / "output").read_text()

    try:
        until(lambda: "Press Ctrl-C" in printed(), "the demo prints the addresses of the pages")
        address = re.search(r"http://127\.0\.0\.1:\d+", printed())
        assert address is not None

        def page(path: str) -> str:
            printed()
            headers = {"Accept": "text/html", "Accept-Language": "en"}
            answer = urllib3.request("GET", address[0] + path, headers=headers, timeout=20)
            assert answer.status == 200
            return answer.data.decode()

        def total() -> int:
            return sum(int(text.replace(",", "")) for text in re.findall(r'data-figure="[a-z]+">([\d,]+)<', page("/")))

        assert 'data-figure="entries">–' not in page("/sites/mediatheque/history?period=week")
        until(lambda: total() > 0, "the page shows today's visitors")
        before = total()
        until(lambda: total() != before, "the page shows another crossing")
        until(lambda: 'class="delivered' in page(DELIVERIES + yesterday()), "a day is delivered")
        demo.send_signal(signal.SIGINT)
        assert demo.wait(STOP_TIMEOUT_S) == 0
        until(lambda: not processes_in(tmp_path), "all processes have ended")
    finally:
        demo.terminate()
        demo.wait(STOP_TIMEOUT_S)


def yesterday() -> str:
    """Return yesterday in Paris, where the demo is."""
    return str(datetime.now(ZONE).date() - timedelta(days=1))
