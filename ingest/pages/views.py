"""The pages' addresses. Each view reads figures and hands them to a template; nothing is worked out here."""

import io
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from flask import Blueprint, Response, current_app, make_response, render_template, request, send_file

from footfall.errors import FootfallError
from footfall.model import Site
from ingest.context import Context, context
from ingest.http_errors import Refusal
from ingest.pages.answer_cache import KEPT_S, Cache, TaggedBody, tagged_body
from ingest.pages.charts import crossings_chart, days_chart, heat_chart, occupancy_chart
from ingest.pages.deliveries_page import DeliveryDay, profiles_of, profiles_with_files, read_deliveries
from ingest.pages.error_pages import show_error
from ingest.pages.figures import Day, Length, Period, period_around
from ingest.pages.history_page import clamp_day, read_history, write_plain_csv
from ingest.pages.language import wanted
from ingest.pages.now import read_doors, read_inside, read_now

blueprint = Blueprint(
    "pages", __name__, template_folder="templates", static_folder=Path(__file__).parent / "static",
    static_url_path="/static",
)  # fmt: skip

blueprint.register_error_handler(FootfallError, show_error)

_PAGES = "footfall.pages"
_WEEK_AGO_KEPT_S = 60.0


@blueprint.get("/")
def show_first() -> str:
    """Show the only site; where there are several, all of them."""
    here = context()
    sites = list(here.registry().sites.values())
    if len(sites) == 1:
        return show_now(sites[0].id)
    now_utc = here.now_utc()
    tiles = [(site, read_inside(here, site, now_utc)) for site in sites]
    return render_template("sites.html", tiles=tiles, now_utc=now_utc)


@blueprint.get("/sites/<site>")
def show_now(site: str) -> str:
    """Show the people inside now."""
    here, where = context(), _find_site(site)
    return render_template("now.html", page="now", site=where, live=_render_now(here, where))


@blueprint.get("/sites/<site>/live")
def tell_now(site: str) -> Response:
    """TaggedBody with the part of the page that changes; 304 where it has not."""
    here, where = context(), _find_site(site)
    return _tell_recent(("now", where, wanted().locale), lambda: _render_now(here, where))


@blueprint.get("/display")
def show_first_display() -> str:
    """Show the first site's display."""
    site = next(iter(context().registry().sites), None)
    if site is None:
        raise Refusal(404, "unknown_site", "there is no site yet: run footfall init")
    return show_display(site)


@blueprint.get("/display/<site>")
def show_display(site: str) -> str:
    """Show one number, for a screen at the entrance."""
    here, where = context(), _find_site(site)
    return render_template("display.html", site=where, live=_render_display(here, where))


@blueprint.get("/display/<site>/live")
def tell_display(site: str) -> Response:
    """TaggedBody with what changes on the display; 304 where it has not."""
    here, where = context(), _find_site(site)
    return _tell_recent(("display", where, wanted().locale), lambda: _render_display(here, where))


@blueprint.get("/sites/<site>/history")
def show_history(site: str) -> str:
    """Show a day, a week or a month."""
    here, where = context(), _find_site(site)
    language = wanted()
    history = read_history(here, where, *_asked_period(here, where))
    period = history.period
    charts = {}
    if period.length is Length.DAY:
        label = language.gettext("People inside through the day")
        charts["occupancy"] = occupancy_chart(history.days[0], here.now_utc(), None, where.capacity, language, label)
        label = language.gettext("Entries and exits by half hour")
        charts["crossings"] = crossings_chart(history.days[0], history.before[0], language, label)
    else:
        charts["days"] = days_chart(history.days, history.before, language, language.gettext("Entries by day"))
        label = language.gettext("Entries by weekday and half hour")
        charts["heat"] = heat_chart(history.heat, language, label)
    return render_template(
        "history.html", page="history", site=where, history=history, period=period, charts=charts,
        profiles=profiles_with_files(here.ledger, where, period.days), now_utc=here.now_utc(),
    )  # fmt: skip


@blueprint.get("/sites/<site>/history.csv")
def send_plain_csv(site: str) -> Response:
    """Send the half hours of a period as plain CSV."""
    here, where = context(), _find_site(site)
    period = period_around(*_asked_period(here, where))
    ids = [counter.id for counter in here.registry().counters_of(where.id)]
    body = write_plain_csv(here.reader, where, ids, period.days, here.now_utc())
    return _download(body.encode(), f"{where.id}_{period.first}_{period.length.value}.csv", "utf-8")


@blueprint.get("/sites/<site>/client.csv")
def send_client_file(site: str) -> Response:
    """Send the client's file of a day as it was delivered, or those of a period, one after the other."""
    here, where = context(), _find_site(site)
    profile = _find_profile(here, where, request.args.get("profile", ""))
    period = period_around(*_asked_period(here, where))
    files = here.ledger.sent_files(profile, period.first, period.last)
    if not files:
        raise Refusal(404, "no_file", "no file was delivered for that period", "day")
    name = files[0].name if len(files) == 1 else f"{profile}_{period.first}_{period.length.value}.csv"
    return _download(b"".join(file.content for file in files), name, files[0].encoding)


@blueprint.get("/sites/<site>/counters")
def show_counters(site: str) -> str:
    """Show each door, how it does, and what to do about it."""
    here, where = context(), _find_site(site)
    return render_template("counters.html", page="counters", site=where, live=_render_counters(here, where))


@blueprint.get("/sites/<site>/counters/live")
def tell_counters(site: str) -> Response:
    """TaggedBody with the doors; 304 where nothing has changed."""
    here, where = context(), _find_site(site)
    return _tell_recent(("counters", where, wanted().locale), lambda: _render_counters(here, where))


@blueprint.get("/sites/<site>/deliveries")
def show_deliveries(site: str) -> str:
    """Show a month of days: delivered, owed or blocked."""
    here, where = context(), _find_site(site)
    today = here.now_utc().astimezone(where.tz).date()
    period = period_around(Length.MONTH, _asked_day(today))
    return render_template(
        "deliveries.html", page="deliveries", site=where, period=period, today=today,
        is_current=today in period.days, live=_render_deliveries(here, where, period),
    )  # fmt: skip


@blueprint.get("/sites/<site>/deliveries/live")
def tell_deliveries(site: str) -> Response:
    """TaggedBody with the calendar of this month; 304 where nothing has changed."""
    here, where = context(), _find_site(site)
    period = period_around(Length.MONTH, here.now_utc().astimezone(where.tz).date())
    return _tell_recent(("deliveries", where, wanted().locale), lambda: _render_deliveries(here, where, period))


@blueprint.get("/sites/<site>/deliveries/<profile>/<day>")
def show_file(site: str, profile: str, day: str) -> str:
    """Show where a day stands, and the client's file as it was delivered."""
    here, where = context(), _find_site(site)
    profile = _find_profile(here, where, profile)
    found = clamp_day(_parse_day(day), here.now_utc().astimezone(where.tz).date())
    standing = here.ledger.days(profile, found, found).get(found)
    files = here.ledger.sent_files(profile, found, found)
    return render_template(
        "file.html", page="deliveries", site=where, profile=profile, day=DeliveryDay(found, standing),
        file=files[0] if files else None,
    )  # fmt: skip


def _render_now(here: Context, site: Site) -> str:
    now = read_now(here, site, _kept().week_ago)
    language = wanted()
    return render_template(
        "_now.html",
        now=now,
        site=site,
        occupancy_chart=occupancy_chart(
            now.today, now.now_utc, now.inside.people, site.capacity, language,
            language.gettext("People inside through the day"),
        ),
        crossings_chart=crossings_chart(
            now.today, now.week_ago, language, language.gettext("Entries and exits by half hour")
        ),
    )  # fmt: skip


def _render_counters(here: Context, site: Site) -> str:
    now_utc = here.now_utc()
    doors = read_doors(here, site, now_utc)
    today = now_utc.astimezone(site.tz).date()
    doors.sort(key=lambda door: (not door.counter.counts_on(today), list(type(door.condition)).index(door.condition)))
    return render_template("_counters.html", site=site, doors=doors, today=today, now_utc=now_utc)


def _render_deliveries(here: Context, site: Site, period: Period) -> str:
    now_utc = here.now_utc()
    deliveries = read_deliveries(here.ledger, site, period.days, now_utc)
    today = now_utc.astimezone(site.tz).date()
    return render_template("_deliveries.html", site=site, deliveries=deliveries, today=today)


def _render_display(here: Context, site: Site) -> str:
    return render_template("_display.html", site=site, inside=read_inside(here, site, here.now_utc()))


def _tell_recent(key: tuple[object, ...], make: Callable[[], str]) -> Response:
    answer = _kept().answers.get(key, lambda: tagged_body(make()))
    response = make_response(answer.body)
    response.set_etag(answer.etag)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language"
    response.make_conditional(request)
    return response


class _Kept:
    """What an app's pages keep for a moment: what they answered, and a day that is long over."""

    def __init__(self) -> None:
        self.answers: Cache[TaggedBody] = Cache(time.monotonic, KEPT_S)
        self.week_ago: Cache[Day] = Cache(time.monotonic, _WEEK_AGO_KEPT_S)


def _kept() -> _Kept:
    found: _Kept = current_app.extensions.setdefault(_PAGES, _Kept())
    return found


def _find_site(name: str) -> Site:
    found = context().registry().sites.get(name)
    if found is None:
        raise Refusal(404, "unknown_site", "there is no such site here", "site")
    return found


def _find_profile(here: Context, site: Site, name: str) -> str:
    """Return *name* if it is a profile of *site*; the first, if *name* is empty."""
    profiles = [profile.name for profile in profiles_of(here.ledger, site)]
    found = name or next(iter(profiles), "")
    if found not in profiles:
        raise Refusal(404, "unknown_profile", "this site has no such profile", "profile")
    return found


def _asked_period(here: Context, site: Site) -> tuple[Length, date]:
    today = here.now_utc().astimezone(site.tz).date()
    text = request.args.get("period", Length.DAY.value)
    try:
        length = Length(text)
    except ValueError:
        raise Refusal(400, "invalid_query", "period is day, week or month", "period") from None
    return length, _asked_day(today)


def _asked_day(today: date) -> date:
    text = request.args.get("day")
    return clamp_day(_parse_day(text), today) if text else today


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal(400, "invalid_query", "day is a date like 2026-05-04", "day") from None


def _download(body: bytes, name: str, encoding: str) -> Response:
    response = send_file(io.BytesIO(body), "text/csv", as_attachment=True, download_name=name)
    response.headers["Content-Type"] = f"text/csv; charset={encoding.removesuffix('-sig')}"
    return response
