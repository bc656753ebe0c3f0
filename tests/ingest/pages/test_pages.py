"""The pages as a browser without JavaScript gets them: numbers, gaps, languages, errors and the password."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from werkzeug.datastructures import Authorization
from werkzeug.http import parse_options_header
from werkzeug.test import TestResponse

from harness.installation import SITE as SITE_TABLE
from ingest.pages import views
from tests.support.ingest_app import HEARTBEAT, NOON_MS, Ingest, ingest_in_process
from tests.support.page_scenery import PARIS, TODAY, Scenery, fill, site_settings

SITE = "/sites/mediatheque"
PAGES = ("/", "/display", SITE, f"{SITE}/history", f"{SITE}/history?period=week", f"{SITE}/history?period=month",
         f"{SITE}/counters", f"{SITE}/deliveries")  # fmt: skip
EMPTY_ELEMENTS = ("meta", "link", "input", "br", "rect", "line", "path", "circle")
Truth = list[tuple[datetime, int]]
"""The local time and direction of every counted crossing."""


class Figures(HTMLParser):
    """The text of each element with a data-figure attribute, and of the whole page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.text = ""
        self._open: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY_ELEMENTS:
            self._open.append(dict(attrs).get("data-figure"))

    def handle_endtag(self, tag: str) -> None:
        self.text += " " * (tag in ("td", "th", "dt", "dd", "p", "h2"))
        if tag not in EMPTY_ELEMENTS and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        for name in self._open:
            if name:
                self.found[name] = (self.found.get(name, "") + data).strip()


def ask(ingest: Ingest, path: str, language: str = "en") -> TestResponse:
    return ingest.client.get(path, headers={"Accept-Language": language, "Accept": "text/html"})


def page(ingest: Ingest, path: str, language: str = "en") -> str:
    answer = ask(ingest, path, language)
    assert answer.status_code == 200, answer.text
    return answer.text


@contextmanager
def looking_at(folder: Path, scenery: Scenery, more: str = "") -> Iterator[tuple[Ingest, Truth]]:
    with ingest_in_process(folder / "footfall", **site_settings(scenery), more=more) as ingest:
        counted = fill(ingest, scenery)
        yield ingest, [(datetime.fromtimestamp(one.time_epoch_ms / 1000, PARIS), one.direction) for one in counted]


@pytest.fixture(scope="module")
def nine_days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ingest, Truth]]:
    """Shared by tests that only read."""
    with looking_at(tmp_path_factory.mktemp("nine_days"), Scenery(days=9)) as found:
        yield found


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    """A site whose counters never reported; shared by tests that only read."""
    with looking_at(tmp_path_factory.mktemp("nothing"), Scenery(days=0)) as (ingest, _):
        yield ingest


@pytest.fixture
def december(nothing: Ingest) -> Iterator[Ingest]:
    """The same site in December 2026."""
    today_ms = nothing.clock.now_ms
    nothing.clock.now_ms = int(local(12, day=date(2026, 12, 1)).timestamp() * 1000)
    yield nothing
    nothing.clock.now_ms = today_ms


def local(hour: int, minute: int = 0, day: date = TODAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)


def test_live_page_shows_people_inside_entries_and_exits(nine_days: tuple[Ingest, Truth]) -> None:
    ingest, truth = nine_days
    today = [direction for moment, direction in truth if moment.date() == TODAY]
    figures = Figures(page(ingest, "/")).found
    assert figures == {"inside": str(sum(today)), "entries": str(today.count(1)), "exits": str(today.count(-1))}


@pytest.mark.parametrize(("length", "days"), [("day", 1), ("week", 3)])
def test_history_shows_the_totals_of_the_period(nine_days: tuple[Ingest, Truth], length: str, days: int) -> None:
    ingest, truth = nine_days
    since = TODAY - timedelta(days=days - 1)
    wanted = [direction for moment, direction in truth if moment.date() >= since]
    figures = Figures(page(ingest, f"{SITE}/history?period={length}&day={TODAY}")).found
    assert figures["entries"].replace(",", "") == str(wanted.count(1))
    assert figures["exits"].replace(",", "") == str(wanted.count(-1))


def test_table_of_a_day_shows_each_half_hour(nine_days: tuple[Ingest, Truth]) -> None:
    ingest, truth = nine_days
    day = TODAY - timedelta(days=1)
    text = " ".join(Figures(page(ingest, f"{SITE}/history?day={day}")).text.split())
    for hour in range(8, 19):
        inside = sum(way for moment, way in truth if moment.date() == day and moment < local(hour, 30, day))
        half = [way for moment, way in truth if local(hour, 0, day) <= moment < local(hour, 30, day)]
        assert f" {hour:02}:00 {half.count(1)} {half.count(-1)} {inside} " in text


def test_gap_is_never_shown_as_zero(nothing: Ingest) -> None:
    """Not people inside, entries or exits, now or in any period, and not on the display."""
    for path in PAGES:
        figures = Figures(page(nothing, path)).found
        assert "0" not in figures.values(), path
        assert all(value.startswith("–") for value in figures.values()), path
    assert "unknown" in Figures(page(nothing, "/display")).text


def test_totals_of_a_day_with_a_gap_are_marked_as_minimums(tmp_path: Path) -> None:
    gaps = [(door, local(10, 10), local(12, 40)) for door in ("DOOR1", "DOOR2")]
    with looking_at(tmp_path, Scenery(days=2, gaps=gaps)) as (ingest, truth):
        entries = sum(direction > 0 for moment, direction in truth if moment.date() == TODAY)
        html = page(ingest, "/")
        assert Figures(html).found["entries"] == f"≥\u202f{entries}"
        assert "Part of today was not counted" in html
        table = " ".join(Figures(html).text.split())
        assert "11:00 – not counted – not counted –" in table
        assert 'class="gap"' in html


def test_share_of_a_silent_counter_is_not_a_plain_zero(tmp_path: Path) -> None:
    """Its totals are minimums, like all totals of a partly counted period."""
    with looking_at(tmp_path, Scenery(days=2, last_heard={"DOOR2": local(0, day=TODAY - timedelta(days=9))})) as (
        ingest,
        _,
    ):
        text = " ".join(Figures(page(ingest, f"{SITE}/history?period=week&day={TODAY}")).text.split())
        assert "Garden door ≥ 0 ≥ 0" in text


def test_silent_counter_is_on_the_live_page_and_the_counters_page_says_what_to_do(tmp_path: Path) -> None:
    with looking_at(tmp_path, Scenery(days=2, last_heard={"DOOR2": local(11, 2)})) as (ingest, _):
        assert "1 counter is silent, so this number may be wrong." in Figures(page(ingest, "/")).text
        text = " ".join(Figures(page(ingest, f"{SITE}/counters")).text.split())
        assert "Garden door Level 1 · DOOR2 ▲ Silent since" in text
        assert "Check that the counter has power" in text


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (b'{"outer_blocked_s":61}', "The outer (street-side) beam is blocked"),
        (b'{"inner_blocked_s":600}', "The inner beam is blocked"),
        (b'{"queued":500}', "500 crossings waiting to be sent"),
        (b'{"rssi_dbm":-85}', "-85 dBm weak"),
        (b'{"outer_blocked_s":59,"queued":3}', "● Counting"),
    ],
)
def test_problem_that_a_counter_reports_is_shown_in_words(tmp_path: Path, report: bytes, words: str) -> None:
    with looking_at(tmp_path, Scenery(counters=1, days=1, reports={"DOOR1": report})) as (ingest, _):
        assert words in " ".join(Figures(page(ingest, f"{SITE}/counters")).text.split())


@pytest.mark.parametrize(
    ("capacity", "word"), [(1000, "Welcome"), (1, "Full"), (None, "people inside")]
)  # fmt: skip
def test_display_says_whether_there_is_room(tmp_path: Path, capacity: int | None, word: str) -> None:
    with looking_at(tmp_path, Scenery(days=1, capacity=capacity)) as (ingest, truth):
        display = Figures(page(ingest, "/display"))
        assert display.found["inside"] == str(sum(direction for _, direction in truth))
        assert word in display.text


@pytest.mark.parametrize(
    ("people", "language", "word", "entries"),
    [
        (0, "en", "people inside", ""),
        (1, "en", "person inside", "1 entry"),
        (1200, "en", "people inside", "1,200 entries"),
        (0, "fr", "personne présente", ""),
        (1, "fr", "personne présente", "1 entrée"),
        (1200, "fr", "personnes présentes", "1 200 entrées"),
    ],
)
def test_words_agree_with_their_number(
    tmp_path: Path, people: int, language: str, word: str, entries: str
) -> None:  # fmt: skip
    with ingest_in_process(tmp_path / "footfall", site=SITE_TABLE.replace("capacity = 120\n", "")) as ingest:
        ingest.keep(*[(seq, NOON_MS - 1000, 1) for seq in range(people)], span=HEARTBEAT)
        display = " ".join(Figures(page(ingest, "/display", language)).text.split())
        assert f" {word} " in f"{display} "
        if people:
            assert f"{entries} " in " ".join(Figures(page(ingest, "/", language)).text.split())


def test_site_is_nearly_full_from_the_configured_part(tmp_path: Path) -> None:
    with looking_at(tmp_path, Scenery(days=1), more="pages = {nearly_full = 1}\n") as (ingest, _):
        assert "Nearly full" in page(ingest, "/")


@pytest.mark.parametrize(
    ("asked", "language", "word"),
    [
        ("fr", "fr", "Personnes présentes"),
        ("fr-CA,en;q=0.5", "fr", "Personnes présentes"),
        ("de, en-GB;q=0.8, fr;q=0.5", "en", "People inside"),
        ("fr-ZZ-x-nonsense", "fr", "Personnes présentes"),
        ("fr;q=0", "en", "People inside"),
        ("*", "en", "People inside"),
        ("", "en", "People inside"),
        ("fr-" + "a" * 500, "en", "People inside"),
    ],
)
def test_language_is_the_most_preferred_one_that_we_have(nothing: Ingest, asked: str, language: str, word: str) -> None:
    answer = ask(nothing, "/", asked)
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in answer.text
    assert word in answer.text


@pytest.mark.parametrize(("language", "total"), [("en", "1,4"), ("fr", "1\u202f4"), ("fr-CH", "1\u202f4")])
def test_numbers_follow_the_language(tmp_path: Path, language: str, total: str) -> None:
    with looking_at(tmp_path, Scenery(days=2, people=1000)) as (ingest, _):
        yesterday = page(ingest, f"{SITE}/history?day={TODAY - timedelta(days=1)}", language)
        assert Figures(yesterday).found["entries"].startswith(total[:2])


@pytest.mark.parametrize(("day", "rows"), [("2026-03-29", 46), ("2026-10-25", 50), ("2026-05-19", 48)])
def test_plain_csv_has_each_half_hour_of_the_day_and_blank_gaps(december: Ingest, day: str, rows: int) -> None:
    answer = ask(december, f"{SITE}/history.csv?day={day}")
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(table) == 2 * rows
    assert all(row["entries"] == row["exits"] == "" and row["covered"] == "0.0000" for row in table)
    assert answer.headers["Content-Disposition"] == f"attachment; filename=mediatheque_{day}_day.csv"


@pytest.mark.parametrize("name", ["mediatheque.csv", 'Été "fermé"; août.csv', "a'b%20c.csv"])
def test_download_keeps_any_file_name(nothing: Ingest, name: str) -> None:
    """A header holds ASCII only; RFC 6266 has filename* for the rest."""
    with nothing.app.test_request_context():
        response = views._download(b"1;2\n", name, "utf-8-sig")
    kind, options = parse_options_header(response.headers["Content-Disposition"])
    assert (kind, options["filename"]) == ("attachment", name)
    assert response.headers["Content-Disposition"].isascii()
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"


def test_plain_csv_adds_up_and_ends_now(nine_days: tuple[Ingest, Truth]) -> None:
    ingest, truth = nine_days
    table = list(csv.DictReader(io.StringIO(ask(ingest, f"{SITE}/history.csv?period=week").text)))
    week = [direction for moment, direction in truth if moment.date() >= TODAY - timedelta(days=2)]
    assert sum(int(row["entries"]) for row in table) == week.count(1)
    assert sum(int(row["exits"]) for row in table) == week.count(-1)
    assert table[-1]["start"] == "15:00"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sites/nowhere", 404),
        ("/sites/nowhere/live", 404),
        ("/display/nowhere", 404),
        (f"{SITE}/history?period=year", 400),
        (f"{SITE}/history?day=yesterday", 400),
        (f"{SITE}/client.csv?profile=nobody", 404),
        (f"{SITE}/deliveries/nobody/2026-05-04", 404),
        ("/nothing/here", 404),
    ],
)
def test_error_of_a_page_is_a_page(nothing: Ingest, path: str, status: int) -> None:
    answer = ask(nothing, path)
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    assert "Back to the home page" in answer.text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1970-01-01", "2026-02-28", "2028-12-31"])
@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_any_day_of_the_calendar_can_be_shown(nothing: Ingest, day: str, period: str) -> None:
    page(nothing, f"{SITE}/history?period={period}&day={day}")


def test_unknown_address_is_json_for_a_program(nothing: Ingest) -> None:
    answer = nothing.client.get("/nothing/here")
    assert (answer.status_code, answer.mimetype) == (404, "application/json")


def test_unreadable_store_is_a_page_with_retry_after(tmp_path: Path) -> None:
    with looking_at(tmp_path, Scenery(days=1)) as (ingest, _):
        ingest.installation.journal.rename(ingest.installation.journal.with_suffix(".away"))
        ingest.context.reader.close()  # type: ignore[attr-defined]  # it is a JournalReader
        answer = ask(ingest, "/")
        assert (answer.status_code, answer.mimetype) == (503, "text/html")
        assert answer.headers["Retry-After"]
        assert "The numbers are unavailable right now" in answer.text


def test_every_page_has_a_strict_policy_and_loads_only_from_here(nine_days: tuple[Ingest, Truth]) -> None:
    for path in PAGES:
        answer = ask(nine_days[0], path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert " style=" not in answer.text
        assert " onclick" not in answer.text
        for address in (*answer.text.split('src="')[1:], *answer.text.split('href="')[1:]):
            assert address[0] in "/#"


def test_live_part_answers_304_while_nothing_changes(nine_days: tuple[Ingest, Truth]) -> None:
    ingest, _ = nine_days
    first = ask(ingest, f"{SITE}/live")
    again = ingest.client.get(f"{SITE}/live", headers={"If-None-Match": first.headers["ETag"], "Accept-Language": "en"})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    other = ingest.client.get(f"{SITE}/live", headers={"If-None-Match": first.headers["ETag"], "Accept-Language": "fr"})
    assert other.status_code == 200, "another language is another page"


def test_live_part_is_in_the_page_itself(nine_days: tuple[Ingest, Truth]) -> None:
    ingest, _ = nine_days
    assert ask(ingest, f"{SITE}/live").text in page(ingest, "/")


def test_names_are_text_and_never_markup(tmp_path: Path) -> None:
    scenery = Scenery(days=1)
    settings = site_settings(scenery)
    settings["site"] = settings["site"].replace("Médiathèque", "<script>&'").replace("Main door", "<b>door</b>")
    with ingest_in_process(tmp_path / "footfall", **settings) as ingest:
        fill(ingest, scenery)
        for path in PAGES:
            html = page(ingest, path)
            assert "<script>&" not in html
            assert "<b>door" not in html


def test_several_sites_are_all_on_the_first_page_and_each_has_its_own(tmp_path: Path) -> None:
    scenery = Scenery(days=1)
    settings = site_settings(scenery)
    settings["profile"] += '\n[sites.annexe]\nname = "Annexe"\ntimezone = "America/Montreal"\n'
    with ingest_in_process(tmp_path / "footfall", **settings) as ingest:
        fill(ingest, scenery)
        first = page(ingest, "/")
        assert "Médiathèque" in first
        assert "Annexe" in first
        assert "No counter is registered for this site" in page(ingest, "/sites/annexe")
        assert "America/Montreal" in page(ingest, "/sites/annexe")


def test_counter_out_of_service_is_shown_as_such_and_causes_no_gap(tmp_path: Path) -> None:
    scenery = Scenery(days=2, last_heard={"DOOR2": local(18, day=TODAY - timedelta(days=1))})
    settings = site_settings(scenery)
    settings["site"] = settings["site"].replace(
        'name = "Garden door"', f'until = {TODAY - timedelta(days=1)}\nname = "Garden door"'
    )
    with ingest_in_process(tmp_path / "footfall", **settings) as ingest:
        fill(ingest, scenery)
        assert "The counter is reporting." in page(ingest, "/")
        assert not Figures(page(ingest, "/")).found["entries"].startswith("≥")
        text = " ".join(Figures(page(ingest, f"{SITE}/counters")).text.split())
        assert "Garden door Level 1 · DOOR2 ○ Not in service today" in text


def test_every_live_part_has_an_etag_and_equals_its_part_of_the_page(
    nine_days: tuple[Ingest, Truth],
) -> None:
    ingest, _ = nine_days
    pages = {f"{SITE}/counters": f"{SITE}/counters/live", f"{SITE}/deliveries": f"{SITE}/deliveries/live",
             "/display": "/display/mediatheque/live"}  # fmt: skip
    for path, live in pages.items():
        answer = ask(ingest, live)
        assert answer.headers["ETag"], live
        assert answer.text in page(ingest, path)
        assert f'data-live-from="{live}"' in page(ingest, path)


def test_page_without_javascript_says_to_reload(nine_days: tuple[Ingest, Truth]) -> None:
    assert "<noscript>" in page(nine_days[0], "/")


LOGIN = Authorization("basic", {"username": "anybody", "password": "open sésame"})


@pytest.fixture
def protected(tmp_path: Path) -> Iterator[Ingest]:
    with looking_at(tmp_path, Scenery(days=1)) as (ingest, _):
        object.__setattr__(ingest.context.config, "pages_password", "open sésame")
        yield ingest


@pytest.mark.parametrize(
    "path", [SITE, "/", f"{SITE}/history.csv", f"{SITE}/live", "/api/v1/sites", "/api/v1/counters", "/metrics"]
)
def test_password_protects_every_page_and_number(protected: Ingest, path: str) -> None:
    refused = protected.client.get(path)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    wrong = Authorization("basic", {"username": "anybody", "password": "Open sésame"})
    assert protected.client.get(path, auth=wrong).status_code == 401
    assert protected.client.get(path, headers={"Authorization": "Bearer x"}).status_code == 401
    assert protected.client.get(path, auth=LOGIN).status_code == 200


@pytest.mark.parametrize("path", ["/display", "/display/mediatheque/live", "/healthz", "/readyz", "/static/live.js"])
def test_password_leaves_the_display_and_the_health_checks_open(protected: Ingest, path: str) -> None:
    with protected.client.get(path) as answer:
        assert answer.status_code == 200


def test_display_can_be_protected_too(protected: Ingest) -> None:
    object.__setattr__(protected.context.config.pages, "display_open", False)
    assert protected.client.get("/display").status_code == 401


def test_counters_need_no_password(protected: Ingest) -> None:
    """They sign instead, as the error shows."""
    answer = protected.client.post("/api/v1/crossings", json={})
    assert answer.status_code == 400
    assert b"invalid_batch" in answer.data
