"""What may be asked: occupancy and buckets of a site, and how the counters and the forwarder are doing."""

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
from ingest.http_errors import Refusal

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

Json = dict[str, object]


@blueprint.get("/sites")
def tell_sites() -> Json:
    """Answer with every site."""
    sites = context().registry().sites.values()
    return {"sites": [_site_json(site) for site in sites]}


@blueprint.get("/sites/<site>/occupancy")
def tell_occupancy(site: str) -> Json:
    """Answer with the people inside now. ``complete`` is false while a counter of the site is silent."""
    here, where = context(), _find_site(site)
    now_utc = here.now_utc()
    counters = here.registry().counters_of(site)
    reset_utc = last_reset(where, now_utc)
    occupancy = occupancy_of(here.reader.totals([counter.id for counter in counters], reset_utc, now_utc), reset_utc)
    counter_states = here.reader.counter_states([counter.id for counter in counters])
    today = now_utc.astimezone(where.tz).date()
    active = [counter.id for counter in counters if counter.counts_on(today)]
    silent = [counter for counter in active if _state(here, counter_states[counter]) != "counting"]
    return {
        "site": where.id,
        "name": where.name,
        "at": _iso(now_utc, where.tz),
        "occupancy": occupancy.inside,
        "capacity": where.capacity,
        "entries": occupancy.entries,
        "exits": occupancy.exits,
        "since": _iso(reset_utc, where.tz),
        "complete": not silent and bool(active),
        "silent_counters": silent,
    }


@blueprint.get("/sites/<site>/buckets")
def tell_buckets(site: str) -> Json:
    """Answer with every half hour of ``day`` (today unless given). A gap has null entries and exits, never zero."""
    here, where = context(), _find_site(site)
    now_utc = here.now_utc()
    day = _asked_day(now_utc.astimezone(where.tz).date())
    buckets = buckets_of(day, where.tz)
    ids = [counter.id for counter in here.registry().counters_of(site)]
    start_utc, end_utc = day_bounds(day, where.tz)
    tallies = fold(here.reader.quarters(ids, start_utc, end_utc), buckets)
    by_counter = {counter: tallies.get(counter) or unknown(buckets) for counter in ids}
    totals = [sum((rows[number] for rows in by_counter.values()), Tally()) for number in range(len(buckets))]
    inside = _occupancy_at_ends(here, where, totals, buckets)
    return {
        "site": where.id,
        "day": day.isoformat(),
        "timezone": where.tz.key,
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
def tell_counters() -> Json:
    """Answer with every counter: when it was last heard of, its own report, and what it lost."""
    here = context()
    registry = here.registry()
    counter_states = here.reader.counter_states(sorted(registry.counters))
    return {
        "counters": [
            _counter_json(here, counter, counter_states[counter.id], registry.site_of(counter.id).tz)
            for _, counter in sorted(registry.counters.items())
        ]
    }


@blueprint.get("/forwarder")
def tell_forwarder() -> Json:
    """Answer with how far InfluxDB has been told; all null but ``forwarding`` where no InfluxDB is set up."""
    here = context()
    now_epoch_ms = here.now_epoch_ms()
    lag = read_lag(here.config.data / JOURNAL, now_epoch_ms) if here.config.influx else None
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
        raise Refusal(404, "unknown_site", "no such site; GET /api/v1/sites lists them", "site")
    return found


def _asked_day(today: date) -> date:
    try:
        text = request.args.get("day")
        day = today if text is None else date.fromisoformat(text)
    except ValueError:  # of werkzeug too, for a query that is no UTF-8
        raise Refusal(400, "invalid_query", "day is a date like 2026-05-04", "day") from None
    if text is not None and (not 1971 <= day.year <= 9998 or day.isoformat() != text):
        raise Refusal(400, "invalid_query", "day is a date like 2026-05-04, from 1971 to 9998", "day")
    return day


def _occupancy_at_ends(here: Context, site: Site, totals: Sequence[Tally], buckets: Sequence[Bucket]) -> list[int]:
    """Return the people inside at the end of each of *buckets*, whose *totals* these are."""
    if not buckets:
        return []
    ids = [counter.id for counter in here.registry().counters_of(site.id)]
    start_utc = buckets[0].start_utc
    before = here.reader.totals(ids, last_reset(site, start_utc), start_utc)
    return occupancy_through(site, totals, buckets, before)


def _state(here: Context, sighting: CounterState) -> str:
    if sighting.received_epoch_ms is None:
        return "never heard"
    return "silent" if sighting.is_silent(here.now_epoch_ms(), here.config.silent_after_s) else "counting"


def _site_json(site: Site) -> Json:
    return {
        "id": site.id,
        "name": site.name,
        "code": site.code,
        "timezone": site.tz.key,
        "hours": str(site.hours),
        "capacity": site.capacity,
    }


def _counter_json(here: Context, counter: Counter, sighting: CounterState, tz: ZoneInfo) -> Json:
    return {
        "id": counter.id,
        "site": counter.site,
        "name": counter.name,
        "location": counter.location,
        "state": _state(here, sighting),
        "last_seen": _iso_ms(sighting.received_epoch_ms, tz),
        "last_crossing": _iso_ms(sighting.crossing_epoch_ms, tz),
        "covered_to": _iso_ms(sighting.covered_to_epoch_ms, tz),
        "lost": sighting.lost,
        "undated": sighting.undated,
        "conflicts": sighting.conflicts,
        "status": dict(sighting.status),
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
