"""``make pictures``: takes docs/pictures/page*.png of ``make demo-live`` in Debian's Chromium."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
SETTLE_MS = 12_000
"""Time for the counters to report the hours since midnight, and for a few live crossings."""


@click.command()
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=PICTURES, help="Output folder.")
def main(folder: Path) -> None:
    """Take the screenshots in the documentation."""
    with _demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        _take(browser, url + "/", folder / "page.png", wait_ms=SETTLE_MS)
        _take(browser, url + "/sites/mediatheque/history?period=month", folder / "page-history.png", is_whole=True)
        _take(browser, url + "/display", folder / "page-display.png")
        browser.close()


def _take(browser: Browser, url: str, path: Path, *, wait_ms: int = 1500, is_whole: bool = False) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light", locale="en-GB")
    page.goto(url)
    page.wait_for_timeout(wait_ms)
    page.screenshot(path=path, full_page=is_whole)
    page.close()
    click.echo(f"{path}: {path.stat().st_size // 1000} KB")


@contextmanager
def _demo() -> Iterator[str]:
    """Run demo.live while the block runs, and yield its address."""
    demo = subprocess.Popen([sys.executable, "-m", "demo.live"], stdout=subprocess.PIPE, text=True)
    try:
        yield _address(demo)
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait()


def _address(demo: "subprocess.Popen[str]") -> str:
    """Return the address that *demo* prints."""
    began_s = time.monotonic()
    for line in demo.stdout or ():
        found = re.search(r"(http://127\.0\.0\.1:\d+)/", line)
        if found:
            click.echo(f"the demo started after {time.monotonic() - began_s:.0f} s")
            return found[1]
    raise SystemExit("the demo printed no address")


if __name__ == "__main__":
    main()
