"""One view for each address of the pages: it reads numbers and renders a template, and computes nothing itself."""

import io
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from flask import Blueprint, Response, current_app, make_response, render_template, request, send_file

from footfall.errors import FootfallError
from footfall.model import Site
from ingest.context import Context, context
from ingest.http_errors import HttpError
from ingest.pages.answer_cache import ANSWER_LIFETIME_S, CachedAnswer, ExpiringCache, cached_answer
from ingest.pages.charts.day_charts import crossings_chart, occupancy_chart
from ingest.pages.charts.entries_by_day_chart import entries_by_day_chart
from ingest.pages.charts.heat_map_chart import heat_map_chart
from ingest.pages.counter_health import Condition
from ingest.pages.deliveries_page import DeliveryDay, profiles_of, profiles_with_files, read_deliveries
from ingest.pages.error_pages import error_page
from ingest.pages.history_page import read_history
from ingest.pages.language import _, request_language
from ingest.pages.now_page import read_counter_health, read_inside, read_now
from ingest.pages.periods import Length, Period, clamp_day, period_around
from ingest.pages.plain_csv import render_plain_csv
from ingest.pages.site_days import SiteDay

blueprint = Blueprint(
    "pages", __name__, template_folder="templates", static_folder=Path(__file__).parent / "static",
    static_url_path="/static",
)  # fmt: skip

blueprint.register_error_handler(FootfallError, error_page)

_CACHES = "footfall.pages"
_WEEK_AGO_LIFETIME_S = 60.0


@blueprint.get("/")
def show_first() -> str:
    """Show the live page of the only site, or an overview of several sites."""
    ctx = context()
    sites = list(ctx.registry().sites.values())
    if len(sites) == 1:
        return show_now(sites[0].id)
    now_utc = ctx.now_utc()
    tiles = [(site, read_inside(ctx, site, now_utc)) for site in sites]
    return render_template("sites.html", tiles=tiles, now_utc=now_utc)


@blueprint.get("/sites/<site>")
def show_now(site: str) -> str:
    """Show the people inside now."""
    ctx, found = context(), _find_site(site)
    return render_template("now.html", page="now", site=found, live=_render_now(ctx, found))


@blueprint.get("/sites/<site>/live")
def refresh_now(site: str) -> Response:
    """Return the live part of the page, or 304 if it has not changed."""
    ctx, found = context(), _find_site(site)
    return _cached_response(("now", found, request_language().locale), lambda: _render_now(ctx, found))


@blueprint.get("/display")
def show_first_display() -> str:
    """Show the display of the first site."""
    site = next(iter(context().registry().sites), None)
    if site is None:
        raise HttpError(404, "unknown_site", _("No site is configured. Run footfall init on the server."))
    return show_display(site)


@blueprint.get("/display/<site>")
def show_display(site: str) -> str:
    """Show one number, for a screen at the entrance."""
    ctx, found = context(), _find_site(site)
    return render_template("display.html", site=found, live=_render_display(ctx, found))


@blueprint.get("/display/<site>/live")
def refresh_display(site: str) -> Response:
    """Return the live part of the display, or 304 if it has not changed."""
    ctx, found = context(), _find_site(site)
    return _cached_response(("display", found, request_language().locale), lambda: _render_display(ctx, found))


@blueprint.get("/sites/<site>/history")
def show_history(site: str) -> str:
    """Show a day, a week or a month."""
    ctx, found = context(), _find_site(site)
    language = request_language()
    history = read_history(ctx, found, *_asked_period(ctx, found))
    period = history.period
    charts = {}
    if period.length is Length.DAY:
        label = language.gettext("People inside through the day")
        charts["occupancy"] = occupancy_chart(history.days[0], ctx.now_utc(), None, found.capacity, language, label)
        label = language.gettext("Entries and exits by half hour")
        charts["crossings"] = crossings_chart(history.days[0], history.before[0], language, label)
    else:
        label = language.gettext("Entries by day")
        charts["entries_by_day"] = entries_by_day_chart(history.days, history.before, language, label)
        label = language.gettext("Entries by weekday and half hour")
        charts["heat_map"] = heat_map_chart(history.heat_map, language, label)
    return render_template(
        "history.html", page="history", site=found, history=history, period=period, charts=charts,
        profiles=profiles_with_files(ctx.ledger, found, period.days), now_utc=ctx.now_utc(),
    )  # fmt: skip


@blueprint.get("/sites/<site>/history.csv")
def send_plain_csv(site: str) -> Response:
    """Send the half hours of a period as plain CSV."""
    ctx, found = context(), _find_site(site)
    period = period_around(*_asked_period(ctx, found))
    ids = [counter.id for counter in ctx.registry().counters_of(found.id)]
    body = render_plain_csv(ctx.reader, found, ids, period.days, ctx.now_utc())
    return _download(body.encode(), f"{found.id}_{period.first}_{period.length.value}.csv", "utf-8")


@blueprint.get("/sites/<site>/client.csv")
def send_client_file(site: str) -> Response:
    """Send the client's file of a day as delivered, or the files of a period joined."""
    ctx, found = context(), _find_site(site)
    profile = _find_profile(ctx, found, request.args.get("profile", ""))
    period = period_around(*_asked_period(ctx, found))
    files = ctx.ledger.sent_files(profile, period.first, period.last)
    if not files:
        raise HttpError(404, "no_file", _("No file was delivered for that period."), "day")
    name = files[0].name if len(files) == 1 else f"{profile}_{period.first}_{period.length.value}.csv"
    return _download(b"".join(file.content for file in files), name, files[0].encoding)


@blueprint.get("/sites/<site>/counters")
def show_counters(site: str) -> str:
    """Show how each counter is doing, and what to do about problems."""
    ctx, found = context(), _find_site(site)
    return render_template("counters.html", page="counters", site=found, live=_render_counters(ctx, found))


@blueprint.get("/sites/<site>/counters/live")
def refresh_counters(site: str) -> Response:
    """Return the live part of the counters page, or 304 if it has not changed."""
    ctx, found = context(), _find_site(site)
    return _cached_response(("counters", found, request_language().locale), lambda: _render_counters(ctx, found))


@blueprint.get("/sites/<site>/deliveries")
def show_deliveries(site: str) -> str:
    """Show a month of days: delivered, owed or blocked."""
    ctx, found = context(), _find_site(site)
    today = ctx.now_utc().astimezone(found.tz).date()
    period = period_around(Length.MONTH, _asked_day(today))
    return render_template(
        "deliveries.html", page="deliveries", site=found, period=period, today=today,
        is_current=today in period.days, live=_render_deliveries(ctx, found, period),
    )  # fmt: skip


@blueprint.get("/sites/<site>/deliveries/live")
def refresh_deliveries(site: str) -> Response:
    """Return the live part of the deliveries page, or 304 if it has not changed."""
    ctx, found = context(), _find_site(site)
    period = period_around(Length.MONTH, ctx.now_utc().astimezone(found.tz).date())
    return _cached_response(
        ("deliveries", found, request_language().locale), lambda: _render_deliveries(ctx, found, period)
    )


@blueprint.get("/sites/<site>/deliveries/<profile>/<day>")
def show_file(site: str, profile: str, day: str) -> str:
    """Show a day's standing, and the client's file as it was delivered."""
    ctx, found = context(), _find_site(site)
    profile = _find_profile(ctx, found, profile)
    asked = clamp_day(_parse_day(day), ctx.now_utc().astimezone(found.tz).date())
    standing = ctx.ledger.days(profile, asked, asked).get(asked)
    files = ctx.ledger.sent_files(profile, asked, asked)
    return render_template(
        "file.html", page="deliveries", site=found, profile=profile, day=DeliveryDay(asked, standing),
        file=files[0] if files else None,
    )  # fmt: skip


def _render_now(ctx: Context, site: Site) -> str:
    now = read_now(ctx, site, _caches().week_ago)
    language = request_language()
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


def _render_counters(ctx: Context, site: Site) -> str:
    now_utc = ctx.now_utc()
    today = now_utc.astimezone(site.tz).date()
    worst_first = list(Condition)
    counters = sorted(
        read_counter_health(ctx, site, now_utc),
        key=lambda one: (not one.counter.counts_on(today), worst_first.index(one.condition)),
    )
    return render_template("_counters.html", site=site, counters=counters, today=today, now_utc=now_utc)


def _render_deliveries(ctx: Context, site: Site, period: Period) -> str:
    now_utc = ctx.now_utc()
    deliveries = read_deliveries(ctx.ledger, site, period.days, now_utc)
    today = now_utc.astimezone(site.tz).date()
    return render_template("_deliveries.html", site=site, deliveries=deliveries, today=today)


def _render_display(ctx: Context, site: Site) -> str:
    return render_template("_display.html", site=site, inside=read_inside(ctx, site, ctx.now_utc()))


def _cached_response(key: tuple[object, ...], render: Callable[[], str]) -> Response:
    answer = _caches().answers.get(key, lambda: cached_answer(render()))
    response = make_response(answer.body)
    response.set_etag(answer.etag)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language"
    response.make_conditional(request)
    return response


class _Caches:
    """The caches of an app's pages: rendered answers, and last week's days, which no longer change."""

    def __init__(self) -> None:
        self.answers: ExpiringCache[CachedAnswer] = ExpiringCache(time.monotonic, ANSWER_LIFETIME_S)
        self.week_ago: ExpiringCache[SiteDay] = ExpiringCache(time.monotonic, _WEEK_AGO_LIFETIME_S)


def _caches() -> _Caches:
    found: _Caches = current_app.extensions.setdefault(_CACHES, _Caches())
    return found


def _find_site(name: str) -> Site:
    found = context().registry().sites.get(name)
    if found is None:
        raise HttpError(404, "unknown_site", _("There is no such site."), "site")
    return found


def _find_profile(ctx: Context, site: Site, name: str) -> str:
    """Return *name* if it is a profile of *site*, or the first profile if *name* is empty."""
    profiles = [profile.name for profile in profiles_of(ctx.ledger, site)]
    found = name or next(iter(profiles), "")
    if found not in profiles:
        raise HttpError(404, "unknown_profile", _("This site has no such profile."), "profile")
    return found


def _asked_period(ctx: Context, site: Site) -> tuple[Length, date]:
    today = ctx.now_utc().astimezone(site.tz).date()
    text = request.args.get("period", Length.DAY.value)
    try:
        length = Length(text)
    except ValueError:
        raise HttpError(400, "invalid_query", _("The period must be day, week or month."), "period") from None
    return length, _asked_day(today)


def _asked_day(today: date) -> date:
    text = request.args.get("day")
    return clamp_day(_parse_day(text), today) if text else today


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HttpError(400, "invalid_query", _("The day must be a date like 2026-05-04."), "day") from None


def _download(body: bytes, name: str, encoding: str) -> Response:
    response = send_file(io.BytesIO(body), "text/csv", as_attachment=True, download_name=name)
    response.headers["Content-Type"] = f"text/csv; charset={encoding.removesuffix('-sig')}"
    return response
