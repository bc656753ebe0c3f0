"""The pages in a real Chromium on a real `footfall up`: the numbers match what people did.

Site, machine and browser are in three different time zones.
"""

import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from footfall.calendar import day_bounds
from footfall.environment import Environment
from footfall.model import Site, Span, epoch_ms
from footfall.settings import read_config
from harness.installation import Installation, batch, install
from ingest.ingest_settings import load_ingest_config
from simulator.people import walk_day
from tests.support.browser import browser, figure, looking, too_wide, violations
from tests.support.page_scenery import PARIS, Scenery, served_pages
from tests.support.zones import zone_where_it_is_day

pytestmark = pytest.mark.slow

MACHINE, VIEWER = "Asia/Kolkata", "America/St_Johns"
DOORS = ("DOOR1", "DOOR2")
ENTRIES, EXITS = 61, 19
"""Today's crossings at each door."""
SITE = "/sites/mediatheque"
HISTORY = (f"{SITE}/history", f"{SITE}/history?period=week", f"{SITE}/history?period=month")
PAGES = ("/", *HISTORY, f"{SITE}/counters", f"{SITE}/deliveries", "/display", "/nowhere")

MORNING, NOON = (datetime(2026, 5, 20, hour, tzinfo=PARIS) for hour in (9, 12))
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
STATES = {
    "full, with a gap": Scenery(
        days=3, people=60, capacity=3, gaps=[("DOOR1", MORNING, NOON), ("DOOR2", MORNING, NOON)]
    ),
    "silent and blocked": Scenery(
        counters=3, days=2, people=60, last_heard={"DOOR1": NOON}, reports={"DOOR2": b'{"outer_blocked_s":90}'}
    ),
    "empty": Scenery(days=0),
}


@dataclass(frozen=True)
class Library:
    """A running site. ``yesterday`` has the direction of each of yesterday's crossings."""

    here: Installation
    zone: ZoneInfo
    yesterday: tuple[int, ...]

    @property
    def pages(self) -> tuple[str, ...]:
        """The addresses of all pages."""
        return (*PAGES, f"{SITE}/deliveries/mediatheque/{self.today() - timedelta(days=1)}")

    def today(self) -> date:
        """Return the current day at the site."""
        return datetime.now(self.zone).date()

    def walk(self, *directions: int, counter: str = "DOOR1") -> None:
        """Report crossings of this moment."""
        now_epoch_ms = int(time.time() * 1000)
        walked = [(now_epoch_ms - len(directions) + number, way) for number, way in enumerate(directions)]
        send(self.here, counter, walked, Span(now_epoch_ms - 50, now_epoch_ms))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Yesterday is counted and its file delivered; today is counted until now."""
    zone = zone_where_it_is_day()
    here = set_up(tmp_path_factory.mktemp("library") / "footfall", zone)
    today = datetime.now(zone).date()
    yesterday = today - timedelta(days=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", MACHINE)
        with here.serving("up"):
            people = walk_day(site_of(here), yesterday, DOORS, people=150, seed=1)
            start, end = (epoch_ms(bound) for bound in day_bounds(yesterday, zone))
            for door in DOORS:
                ways = [(one.time_epoch_ms, one.direction) for one in people if one.counter == door]
                send(here, door, ways, Span(start, end))
                send(here, door, *since_midnight(epoch_ms(day_bounds(today, zone)[0])))
            here.run("export", "--day", str(yesterday), "--deliver")
            yield Library(here, zone, tuple(one.direction for one in people))


def set_up(folder: Path, zone: ZoneInfo) -> Installation:
    """Return an installation whose site never closes, so that no test depends on the hour."""
    yesterday = datetime.now(zone).date() - timedelta(days=1)
    site = f"""
[sites.mediatheque]
name = "Médiathèque"
timezone = "{zone.key}"
hours = "00:00-24:00"
reset = "00:00"
capacity = 100
"""
    profile = f"""
[profiles.mediatheque]
site = "mediatheque"
destination = "share"
deliver_from = {yesterday}

[destinations.share]
kind = "folder"
folder = "share"
"""
    here = install(folder, DOORS, site=site, profile=profile)
    (here.folder / "share").mkdir()
    return here


def site_of(here: Installation) -> Site:
    """Return the site as configured."""
    config = read_config(here.folder / "footfall.toml")
    return load_ingest_config(config, Environment({})).registry.sites["mediatheque"]


def since_midnight(start_epoch_ms: int) -> tuple[list[tuple[int, int]], Span]:
    """Return (time, direction) of ENTRIES entries and EXITS exits, evenly spread since midnight, and their span."""
    now_epoch_ms = int(time.time() * 1000)
    step_ms = (now_epoch_ms - start_epoch_ms) // (ENTRIES + EXITS + 1)
    ways = [-1 if number % 4 == 0 and number <= 4 * EXITS else 1 for number in range(1, ENTRIES + EXITS + 1)]
    walked = [(start_epoch_ms + number * step_ms, way) for number, way in enumerate(ways, 1)]
    return walked, Span(start_epoch_ms, now_epoch_ms)


def send(here: Installation, counter: str, walked: Sequence[tuple[int, int]], span: Span) -> None:
    """Send a batch in a new stream, like a counter that was just installed."""
    crossings = [(seq, time_epoch_ms, way) for seq, (time_epoch_ms, way) in enumerate(walked, 1)]
    body = batch(*crossings, counter=counter, stream=os.urandom(8).hex(), span=span)
    assert here.post(body, counter=counter).status == 200


def inside(page: Page) -> int:
    return int(figure(page, "inside"))


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_numbers_match_what_people_did(chromium: Browser, library: Library, script: bool) -> None:
    """With JavaScript and without: people inside, today's entries and exits, yesterday's totals."""
    with looking(chromium, library.here.url, java_script_enabled=script) as page:
        page.goto("/")
        entries, exits = int(figure(page, "entries")), int(figure(page, "exits"))
        assert inside(page) == entries - exits
        answer = library.here.get(f"/api/v1{SITE}/occupancy")
        assert (answer["entries"], answer["exits"]) == (entries, exits)
        assert (entries - 2 * ENTRIES) >= 0 <= (exits - 2 * EXITS), "today's crossings, and those of other tests"
        page.goto(f"{SITE}/history?day={library.today() - timedelta(days=1)}")
        assert figure(page, "entries") == str(library.yesterday.count(1))
        assert figure(page, "exits") == str(library.yesterday.count(-1))


def test_crossing_is_on_the_page_after_two_refreshes_at_most(chromium: Browser, library: Library) -> None:
    """A refresh follows each second. One may be under way or cached at the time of the POST; the next is not."""
    with looking(chromium, library.here.url) as page, looking(chromium, library.here.url) as screen:
        page.goto("/")
        screen.goto("/display")
        for _ in range(3):
            wanted = inside(page) + 2
            library.walk(1, 1)
            assert f'data-figure="inside">{wanted}<' in two_refreshes(page)
            expect(page.locator("[data-figure=inside]")).to_have_text(str(wanted))
            expect(screen.locator("[data-figure=inside]")).to_have_text(str(wanted))
        assert page.title().startswith(f"{wanted} ·")
        library.walk(*[-1] * 6)


def two_refreshes(page: Page) -> str:
    """Return what the server answers to the next two refreshes of *page*; an unchanged answer is empty."""
    text = ""
    for _ in range(2):
        with page.expect_response(re.compile("/live$")) as answer:
            pass
        text += answer.value.text() if answer.value.status == 200 else ""
    return text


def test_counters_page_follows_a_counter_that_starts_to_report(chromium: Browser, tmp_path: Path) -> None:
    here = install(tmp_path / "footfall")
    with here.serving(), looking(chromium, here.url) as page:
        page.goto("/sites/alliance/counters")
        expect(page.get_by_text("Never heard from")).to_have_count(2)
        now_ms = int(time.time() * 1000)
        here.post(batch((1, now_ms, 1)))
        expect(page.get_by_text("Never heard from")).to_have_count(1)
        expect(page.locator(".counter.counting")).to_contain_text("Counter 1")


def test_page_reports_a_killed_server_and_reconnects_by_itself(chromium: Browser, tmp_path: Path) -> None:
    """The numbers stay, in grey and with their time; nobody has to reload."""
    here = install(tmp_path / "footfall")
    with looking(chromium, here.url) as page:
        with here.serving("up") as up:
            start_ms = int(time.time() * 1000)
            here.post(batch((1, start_ms, 1)))
            page.goto("/")
            expect(page.locator("[data-figure=inside]")).to_have_text("1")
            failed: list[Request] = []
            page.on("requestfailed", lambda request: failed.append(request))  # noqa: PLW0108 - a C function has no signature
            os.kill(up.pid, signal.SIGKILL)
            expect(page.locator("[data-connection]")).to_contain_text("No connection to the server")
            assert len(failed) <= 3, "the page must not hide several failures in a row"
            expect(page.locator("body")).to_have_class(re.compile("stale"))
            assert inside(page) == 1
            up.wait(60)
        with here.serving("up"):
            here.post(batch((2, start_ms + 1, 1)))
            expect(page.locator("[data-figure=inside]")).to_have_text("2")
            expect(page.locator("[data-connection]")).to_have_text("Reconnected.")
            expect(page.locator("body")).not_to_have_class(re.compile("stale"))


@pytest.mark.parametrize(
    ("locale", "title", "tab"), [("fr-CA", "Personnes présentes", "Historique"), ("en-GB", "People inside", "History")]
)
def test_texts_follow_the_browser_and_times_the_site(
    chromium: Browser, library: Library, locale: str, title: str, tab: str
) -> None:
    """The zones of the machine and of the browser do not matter."""
    zones = {library.zone.key, MACHINE, VIEWER}
    assert len({datetime.now(ZoneInfo(name)).utcoffset() for name in zones}) == 3
    with looking(chromium, library.here.url, locale=locale, timezone_id=VIEWER) as page:
        before = datetime.now(UTC)
        page.goto("/")
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        shown = re.search(r"\d\d:\d\d", page.locator(".fresh .as-of").inner_text())
        assert shown is not None
        minutes = int((datetime.now(UTC) - before) / timedelta(minutes=1)) + 1
        local = before.astimezone(library.zone)
        assert shown[0] in {f"{local + timedelta(minutes=number):%H:%M}" for number in range(minutes + 1)}
        expect(page.locator(".bottom")).to_contain_text(library.zone.key)
        page.get_by_role("link", name=tab).click()
        expect(page).to_have_url(re.compile("/history$"))
        expect(page.locator("h1")).to_contain_text(str(library.today().year))


@pytest.mark.parametrize("width", [320, 1920])
def test_no_page_scrolls_sideways(chromium: Browser, library: Library, width: int) -> None:
    """From a phone to a wall screen, in both languages."""
    for locale in ("en-GB", "fr-FR"):
        with looking(chromium, library.here.url, locale=locale, viewport={"width": width, "height": 900}) as page:
            for path in library.pages:
                page.goto(path)
                page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
                assert too_wide(page) == [], (locale, path)


def test_keyboard_reaches_everything_and_refreshes_keep_the_focus(chromium: Browser, library: Library) -> None:
    """The first Tab is the skip link; Enter opens tables; a refresh does not take the focus."""
    with looking(chromium, library.here.url) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.locator("summary")).to_be_focused()
        page.keyboard.press("Enter")
        table = page.locator("#crossings-table table")
        expect(table).to_be_visible()
        before = table.inner_text()
        library.walk(1)
        page.wait_for_function(
            "(old) => document.querySelector('#crossings-table table').innerText !== old", arg=before
        )
        expect(page.locator("summary")).to_be_focused()
        expect(table).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator("#crossings-table .scroll")).to_be_focused()
        library.walk(-1)


def test_keyboard_reaches_and_leaves_every_page(chromium: Browser, library: Library) -> None:
    with looking(chromium, library.here.url) as page:
        page.goto("/")
        tabs = {"History": "history", "Counters": "counters", "Deliveries": "deliveries", "Now": SITE}
        for name, path in tabs.items():
            for _ in range(8):
                page.keyboard.press("Tab")
                if page.evaluate("document.activeElement.textContent") == name:
                    break
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", "the focus must be visible"
            page.keyboard.press("Enter")
            expect(page).to_have_url(re.compile(f"{path}$"))


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_on_any_page(chromium: Browser, library: Library, width: int) -> None:
    """WCAG 2.2 AA as far as a program can check it, in light and in dark."""
    with looking(chromium, library.here.url, viewport={"width": width, "height": 900}) as page:
        for path in library.pages:
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                assert violations(page) == [], (path, scheme)


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_in_any_state(chromium: Browser, tmp_path: Path, state: str) -> None:
    """Full, with a gap, silent, blocked, empty: no state relies on colour alone or on faint text."""
    with served_pages(tmp_path / "footfall", STATES[state]) as (url, _, _), looking(chromium, url) as page:
        for path in ("/", f"{SITE}/history?period=week", f"{SITE}/counters", "/display"):
            page.goto(path)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                assert violations(page) == [], (path, scheme)


@pytest.mark.parametrize("path", ["/", "/display"])
def test_axe_finds_nothing_while_the_connection_is_lost(chromium: Browser, library: Library, path: str) -> None:
    """Old numbers are greyed, but not too faint to read. A busy machine may show this state at any time."""
    with looking(chromium, library.here.url) as page:
        page.route("**/live", lambda route: route.abort())
        page.goto(path)
        expect(page.locator("body")).to_have_class(re.compile("stale"))
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == [], scheme


def test_nothing_moves(chromium: Browser, library: Library) -> None:
    """There are no animations, in particular with reduced motion."""
    with looking(chromium, library.here.url, reduced_motion="reduce") as page:
        page.goto("/")
        assert page.evaluate("document.getAnimations().length") == 0
        moving = """[...document.querySelectorAll("*")].map((one) => getComputedStyle(one))
            .filter((one) => one.animationName !== "none" || one.transitionDuration !== "0s").length"""
        assert page.evaluate(moving) == 0


def test_week_prints_on_at_most_two_pages(chromium: Browser, library: Library) -> None:
    with looking(chromium, library.here.url) as page:
        page.goto(f"{SITE}/history?period=week&day={library.today() - timedelta(days=1)}")
        page.emulate_media(media="print")
        expect(page.locator(".pages")).to_be_hidden()
        expect(page.locator(".card table").first).to_be_visible()
        sheets = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))
        assert 1 <= len(sheets) <= 2


def test_display_is_one_number_that_fills_the_screen(chromium: Browser, library: Library) -> None:
    """Readable from five metres: at least a quarter of the screen height (20 arc minutes are 3 cm there)."""
    with looking(chromium, library.here.url, viewport={"width": 1920, "height": 1080}) as page:
        page.goto("/display")
        box = page.locator("[data-figure=inside]").bounding_box()
        assert box is not None
        assert box["height"] > 1080 / 4
        assert page.evaluate("document.documentElement.scrollHeight <= document.documentElement.clientHeight")


@pytest.mark.parametrize("capacity", [None, 120], ids=["people inside", "nearly full"])
@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_display_never_scrolls(chromium: Browser, tmp_path: Path, capacity: int | None, locale: str) -> None:
    """The longest words fit, with a warning below them."""
    scenery = Scenery(days=1, people=60, capacity=capacity, last_heard={"DOOR1": NOON})
    screen = {"width": 1280, "height": 720}
    with (
        served_pages(tmp_path / "footfall", scenery, more="pages = {nearly_full = 1}\n") as (url, _, _),
        looking(chromium, url, locale=locale, viewport=screen) as page,
    ):
        page.goto("/display")
        expect(page.locator(".word.long")).to_be_visible()
        assert too_wide(page) == []
        assert page.evaluate("document.documentElement.scrollHeight <= document.documentElement.clientHeight")


def test_file_of_a_delivered_day_is_shown_as_the_client_got_it(chromium: Browser, library: Library) -> None:
    yesterday = library.today() - timedelta(days=1)
    with looking(chromium, library.here.url) as page:
        page.goto(f"{SITE}/deliveries?day={yesterday}")
        page.locator(".calendar .delivered a").click()
        (sent,) = (library.here.folder / "share").iterdir()
        assert page.locator("pre").inner_text() == sent.read_text()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert download.value.path().read_bytes() == sent.read_bytes()
        assert download.value.suggested_filename == sent.name
