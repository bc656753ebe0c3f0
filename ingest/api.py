"""The reading API: sites, occupancy, buckets, and the state of the counters and the forwarder."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

from flask import Blueprint, request

from footfall.calendar import buckets_of, day_bounds, fold, unknown
from footfall.model import Bucket, Counter, CounterState, Site, Tally, from_epoch_ms
from footfall.occupancy import last_reset, occupancy_of, occupancy_through
from footfall.store.forwarder_state import read_lag
from footfall.store.journal import FILE_NAME as JOURNAL
from ingest.context import Context, context
from ingest.http_errors import HttpError

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

Json = dict[str, object]


@blueprint.get("/sites")
def list_sites() -> Json:
    """Return every site."""
    sites = context().registry().sites.values()
    return {"sites": [_site_json(site) for site in sites]}


@blueprint.get("/sites/<site>/occupancy")
def read_occupancy(site: str) -> Json:
    """Return the people inside now. ``complete`` is false while a counter of the site is silent."""
    ctx, found = context(), _find_site(site)
    now_utc = ctx.now_utc()
    counters = ctx.registry().counters_of(site)
    reset_utc = last_reset(found, now_utc)
    occupancy = occupancy_of(ctx.reader.totals([counter.id for counter in counters], reset_utc, now_utc), reset_utc)
    counter_states = ctx.reader.counter_states([counter.id for counter in counters])
    today = now_utc.astimezone(found.tz).date()
    active = [counter.id for counter in counters if counter.counts_on(today)]
    silent = [counter for counter in active if _state(ctx, counter_states[counter]) != "counting"]
    return {
        "site": found.id,
        "name": found.name,
        "at": _iso(now_utc, found.tz),
        "occupancy": occupancy.inside,
        "capacity": found.capacity,
        "entries": occupancy.entries,
        "exits": occupancy.exits,
        "since": _iso(reset_utc, found.tz),
        "complete": not silent and bool(active),
        "silent_counters": silent,
    }


@blueprint.get("/sites/<site>/buckets")
def read_buckets(site: str) -> Json:
    """Return every half hour of ``day``, by default today. A gap has null entries and exits, never zero."""
    ctx, found = context(), _find_site(site)
    now_utc = ctx.now_utc()
    day = _requested_day(now_utc.astimezone(found.tz).date())
    buckets = buckets_of(day, found.tz)
    ids = [counter.id for counter in ctx.registry().counters_of(site)]
    start_utc, end_utc = day_bounds(day, found.tz)
    tallies = fold(ctx.reader.quarters(ids, start_utc, end_utc), buckets)
    by_counter = {counter: tallies.get(counter) or unknown(buckets) for counter in ids}
    totals = [sum((rows[number] for rows in by_counter.values()), Tally()) for number in range(len(buckets))]
    inside = _occupancy_at_ends(ctx, found, totals, buckets)
    return {
        "site": found.id,
        "day": day.isoformat(),
        "timezone": found.tz.key,
        "buckets": [
            {
                "start": bucket.start_local.isoformat(),
                "end": bucket.end_local.isoformat(),
                **_tally_json(totals[number]),
                "occupancy": inside[number] if bucket.end_utc <= now_utc else None,
                "counters": {counter: _tally_json(rows[number]) for counter, rows in by_counter.items()},
            }
            for number, bucket in enumerate(buckets)
        ],
    }


@blueprint.get("/counters")
def list_counters() -> Json:
    """Return every counter: when it last reported, its status report, and what it lost."""
    ctx = context()
    registry = ctx.registry()
    counter_states = ctx.reader.counter_states(sorted(registry.counters))
    return {
        "counters": [
            _counter_json(ctx, counter, counter_states[counter.id], registry.site_of(counter.id).tz)
            for _, counter in sorted(registry.counters.items())
        ]
    }


@blueprint.get("/forwarder")
def read_forwarder() -> Json:
    """Return the forwarder's progress; without InfluxDB everything but ``forwarding`` is null."""
    ctx = context()
    now_epoch_ms = ctx.now_epoch_ms()
    lag = read_lag(ctx.config.data / JOURNAL, now_epoch_ms) if ctx.config.influx else None
    progress = lag.progress if lag else None
    return {
        "forwarding": lag is not None,
        "waiting": lag and lag.waiting,
        "lag_s": lag and lag.lag_s,
        "written_through": lag and _iso_ms(now_epoch_ms - lag.lag_s * 1000, UTC),
        "points_written": progress and progress.written,
        "points_expired": progress and progress.expired,
        "quarantined": lag and lag.quarantined,
        "last_error": progress and (progress.error or None),
        "hint": progress and (progress.hint or None),
        "failing_since": progress and _iso_ms(progress.failing_epoch_ms, UTC),
        "next_try": progress and _iso_ms(progress.next_try_epoch_ms, UTC),
    }


def _find_site(name: str) -> Site:
    found = context().registry().sites.get(name)
    if found is None:
        raise HttpError(404, "unknown_site", "no such site; GET /api/v1/sites lists them", "site")
    return found


def _requested_day(today: date) -> date:
    try:
        text = request.args.get("day")
        day = today if text is None else date.fromisoformat(text)
    except ValueError:  # werkzeug raises it too, if the query is not UTF-8
        raise HttpError(400, "invalid_query", "day must be a date like 2026-05-04", "day") from None
    if text is not None and (not 1971 <= day.year <= 9998 or day.isoformat() != text):
        raise HttpError(400, "invalid_query", "day must be a date like 2026-05-04, from 1971 to 9998", "day")
    return day


def _occupancy_at_ends(ctx: Context, site: Site, totals: Sequence[Tally], buckets: Sequence[Bucket]) -> list[int]:
    """Return the people inside at the end of each of *buckets*, given their *totals*."""
    if not buckets:
        return []
    ids = [counter.id for counter in ctx.registry().counters_of(site.id)]
    start_utc = buckets[0].start_utc
    before = ctx.reader.totals(ids, last_reset(site, start_utc), start_utc)
    return occupancy_through(site, totals, buckets, before)


def _state(ctx: Context, state: CounterState) -> str:
    if state.received_epoch_ms is None:
        return "never heard"
    return "silent" if state.is_silent(ctx.now_epoch_ms(), ctx.config.silent_after_s) else "counting"


def _site_json(site: Site) -> Json:
    return {
        "id": site.id,
        "name": site.name,
        "code": site.code,
        "timezone": site.tz.key,
        "hours": str(site.hours),
        "capacity": site.capacity,
    }


def _counter_json(ctx: Context, counter: Counter, state: CounterState, tz: ZoneInfo) -> Json:
    return {
        "id": counter.id,
        "site": counter.site,
        "name": counter.name,
        "location": counter.location,
        "state": _state(ctx, state),
        "last_seen": _iso_ms(state.received_epoch_ms, tz),
        "last_crossing": _iso_ms(state.crossing_epoch_ms, tz),
        "covered_to": _iso_ms(state.covered_to_epoch_ms, tz),
        "lost": state.lost,
        "undated": state.undated,
        "conflicts": state.conflicts,
        "status": dict(state.status),
    }


def _tally_json(tally: Tally) -> Json:
    return {
        "entries": None if tally.is_gap else tally.entries,
        "exits": None if tally.is_gap else tally.exits,
        "covered": round(tally.covered_ms / tally.length_ms, 4) if tally.length_ms else 0,
    }


def _iso(moment_utc: datetime, tz: tzinfo) -> str:
    return moment_utc.astimezone(tz).isoformat(timespec="seconds")


def _iso_ms(instant_epoch_ms: int | None, tz: tzinfo) -> str | None:
    return None if instant_epoch_ms is None else _iso(from_epoch_ms(instant_epoch_ms).astimezone(UTC), tz)
