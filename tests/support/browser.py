"""A real headless Chromium, and checks of the pages in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python  # type: ignore[import-untyped]  # ships no annotations
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
         "--no-first-run", "--no-sandbox"]  # fmt: skip
_AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
_WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation",
    (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));"""
_TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.querySelectorAll("body, body *")].filter((one) =>
        one.getBoundingClientRect().right > width && !one.parentElement.closest(".scroll"));
    return ["scrolls sideways", ...wide.map((one) => one.cloneNode().outerHTML)];
}"""


@contextmanager
def browser() -> Iterator[Browser]:
    """Yield a headless Chromium; skip the test if it is not installed."""
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium: apt-get install chromium")
    expect.set_options(timeout=60_000)  # for a busy machine
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            yield found
        finally:
            found.close()


@contextmanager
def looking(chromium: Browser, url: str, **settings: Any) -> Iterator[Page]:
    """Yield a page in a fresh browser context, with *url* as its base.

    *settings* are those of Playwright's new_context. At the end, the page must have loaded nothing from other hosts,
    and neither its policy nor its script may have reported an error.
    """
    context = chromium.new_context(base_url=url, **{"locale": "en-GB", **settings})
    context.set_default_timeout(60_000)
    requested: list[str] = []
    errors: list[str] = []
    context.on("request", lambda request: requested.append(request.url))
    context.on("console", lambda message: errors.append(message.text) if _is_error(message) else None)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    if settings.get("java_script_enabled", True):
        context.add_init_script(_REPORT_VIOLATIONS)
    try:
        yield context.new_page()
        assert [one for one in requested if not one.startswith(url + "/")] == []
        assert errors == []
    finally:
        context.close()


def _is_error(message: ConsoleMessage) -> bool:
    """Return whether *message* is an error, except a failed request to a killed server or an unknown page."""
    is_lost = message.text.startswith("Failed to load resource") and "/static/" not in message.location["url"]
    return message.type == "error" and not is_lost


def violations(page: Page) -> list[str]:
    """Return the violations of WCAG 2.2 AA and of good practice that axe-core finds, one line an element."""
    options = {"runOnly": {"type": "tag", "values": list(_WCAG)}, "resultTypes": ["violations"]}
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    found = page.evaluate("(options) => axe.run(options)", options)["violations"]
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary']}" for one in found for node in one["nodes"]]


def figure(page: Page, name: str) -> str:
    """Return the text that the page shows for the number *name*."""
    return page.locator(f"[data-figure={name}]").inner_text().strip()


def too_wide(page: Page) -> list[str]:
    """Return the elements that make the page scroll sideways, none if it does not."""
    found: list[str] = page.evaluate(_TOO_WIDE)
    return found
