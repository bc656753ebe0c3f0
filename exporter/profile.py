"""How one client wants its file: a profile of footfall.toml."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from exporter.dates import SAMPLE_DAYS, check_format, render_moment
from footfall.calendar import buckets_of, day_bounds, local_instant
from footfall.model import Counter, Hours, Site
from footfall.registry import Registry
from footfall.settings import ConfigFile, Setting, Table

DEFAULT_COLUMNS = ("date", "bucket", "entries", "exits", "id", "name", "location", "site", "code")
COLUMNS = (*DEFAULT_COLUMNS, "start_utc", "covered")
LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
"""The days a file may be of: a slip in a year must not make millions of days owed."""

PROFILE_SETTINGS = (
    Setting("site", "the site whose counters are in the file"),
    Setting("counters", "the ids of the counters in the file", "every counter of the site"),
    Setting("destination", "where the file goes, a `[destinations.NAME]`", "nowhere: `footfall export` only"),
    Setting("deliver_from", "the first day to deliver by itself; needed with a destination"),
    Setting("deliver_at", "the local time, after the hours have ended, from which a day is owed", '"20:00"'),
    Setting("give_up_at", "the local time after that until which a day waits for counters that are late", '"12:00"'),
    Setting("redeliver_days", "how long after its end a day that changed is delivered again, days", "7"),
    Setting("file_name", "the file's name; {day:FORMAT}, {site}, {code} and {profile} are filled in",
            '"{day:%d_%m_%Y}_counterdata-1.csv"'),
    Setting("columns", "the columns and their order, of " + ", ".join(COLUMNS), "the first nine"),
    Setting("date_format", "how a date is written", '"%Y-%-m-%-d"'),
    Setting("time_format", "how a half hour is written", '"%H:%M:%S"'),
    Setting("label", "which end of the half hour is written: `start` or `end`", '"start"'),
    Setting("hours", "the half hours in the file", "the site's hours"),
    Setting("repeated_hour", "when clocks go back: `merge` both passes into one row, or `separate` rows", '"merge"'),
    Setting("gap", "what a gap becomes: `zero`, `blank` or `omit`", '"zero"'),
    Setting("separator", "one character between columns", '","'),
    Setting("line_end", "`lf` or `crlf`", '"lf"'),
    Setting("header", "write the columns' names as the first line", "false"),
    Setting("encoding", "`utf-8`, `utf-8-sig` (with the mark Excel wants), `latin-1` or `cp1252`", '"utf-8"'),
)  # fmt: skip
_DAY_IN_NAME = re.compile(r"\{day:([^{}]*)\}")
_NAME_IN_NAME = re.compile(r"\{(site|code|profile)\}")


@dataclass(frozen=True)
class Profile:
    """One client's file: its content and format, when and where it goes.

    The ledger identifies a profile by its name, the NAME of ``[profiles.NAME]``. A renamed profile is a new one: every
    day since ``deliver_from`` is owed again.
    """

    name: str
    site: Site
    counters: tuple[Counter, ...]
    destination: str | None
    deliver_from: date | None
    deliver_at: int
    give_up_at: int
    redeliver_days: int
    file_name: str
    columns: tuple[str, ...]
    date_format: str
    time_format: str
    label: str
    hours: Hours
    repeated_hour: str
    gap: str
    separator: str
    line_end: str
    header: bool
    encoding: str

    def file_name_of(self, day: date) -> str:
        """Return the name of the file of *day*."""
        names = {"site": self.site.id, "code": self.site.code, "profile": self.name}
        return _NAME_IN_NAME.sub(lambda match: names[match[1]], _fill_day(self.file_name, day))

    def ends_utc(self, day: date) -> datetime:
        """Return the instant the last bucket of *day* ends."""
        start_utc, end_utc = day_bounds(day, self.site.tz)
        if end_utc - start_utc != timedelta(days=1) and (buckets := buckets_of(day, self.site.tz, self.hours)):
            return buckets[-1].end_utc  # closing time may be shown twice
        return local_instant(day, self.hours.closes, self.site.tz)

    def due_utc(self, day: date) -> datetime:
        """Return the instant from which *day* is owed: ``deliver_at``, the first one after the hours have ended."""
        return _first_after(day, self.deliver_at, self.ends_utc(day), self.site)

    def give_up_utc(self, day: date) -> datetime:
        """Return the instant from which *day* goes out as it is: ``give_up_at``, the first one after it is due."""
        return _first_after(day, self.give_up_at, self.due_utc(day), self.site)


def load_profiles(config: ConfigFile, registry: Registry) -> dict[str, Profile]:
    """Return the profiles of *config*, noting problems in it."""
    return {name: _profile(name, table, registry) for name, table in config.named("profiles", PROFILE_SETTINGS)}


def _first_after(day: date, minutes: int, after_utc: datetime, site: Site) -> datetime:
    """Return the first instant from *after_utc* on at which a clock at *site* shows *minutes* past midnight."""
    while (moment_utc := local_instant(day, minutes, site.tz)) < after_utc:
        day += timedelta(days=1)
    return moment_utc


def _profile(name: str, table: Table, registry: Registry) -> Profile:
    site = _site(table, registry)
    counters = _counters(table, registry, site)
    destination = table.optional_text("destination")
    if destination and "deliver_from" not in table:
        table.problem("deliver_from", "is missing: write the first day to deliver, 2026-05-04")
    deliver_from = table.day("deliver_from")
    if deliver_from and not FIRST_DAY <= deliver_from <= LAST_DAY:
        table.problem("deliver_from", f"must be a day from {FIRST_DAY} to {LAST_DAY}")
    profile = Profile(
        name=name,
        site=site,
        counters=counters,
        destination=destination,
        deliver_from=deliver_from,
        deliver_at=table.clock("deliver_at", 20 * 60),
        give_up_at=table.clock("give_up_at", 12 * 60),
        redeliver_days=table.whole("redeliver_days", 7, 0, 366),
        file_name=table.parsed("file_name", "{day:%d_%m_%Y}_counterdata-1.csv", _file_name),
        columns=table.parsed("columns", DEFAULT_COLUMNS, _columns),
        date_format=table.parsed("date_format", "%Y-%-m-%-d", lambda value: _moment_format(value, "Yymdj")),
        time_format=table.parsed("time_format", "%H:%M:%S", lambda value: _moment_format(value, "HMS")),
        label=table.choice("label", "start", ("start", "end")),
        hours=table.hours("hours", site.hours),
        repeated_hour=table.choice("repeated_hour", "merge", ("merge", "separate")),
        gap=table.choice("gap", "zero", ("zero", "blank", "omit")),
        separator=table.parsed("separator", ",", _separator),
        line_end=LINE_ENDS[table.choice("line_end", "lf", tuple(LINE_ENDS))],
        header=table.flag("header", False),
        encoding=table.choice("encoding", "utf-8", ("utf-8", "utf-8-sig", "latin-1", "cp1252")),
    )
    _check_texts(profile, table)
    return profile


def _site(table: Table, registry: Registry) -> Site:
    name = table.text("site")
    found = registry.sites.get(name)
    if found is not None:
        return found
    if name:
        table.problem("site", f"names a site that is not there: {name!r}")
    return next(iter(registry.sites.values()), _NOWHERE)


def _counters(table: Table, registry: Registry, site: Site) -> tuple[Counter, ...]:
    if "counters" not in table:
        return registry.counters_of(site.id)
    found = []
    for name in table.texts("counters"):
        counter = registry.counters.get(name)
        if counter is None or counter.site != site.id:
            table.problem("counters", f"names {name!r}, which is no counter of site {site.id!r}")
        else:
            found.append(counter)
    return tuple(sorted(found, key=lambda counter: counter.id))


def _file_name(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text that is not empty")
    for pattern in _DAY_IN_NAME.findall(value):
        check_format(pattern, "Yymdj")
    rest = _NAME_IN_NAME.sub("", _DAY_IN_NAME.sub("", value))
    if "{" in rest or "}" in rest:
        raise ValueError("holds something in braces that is none of {day:FORMAT}, {site}, {code}, {profile}")
    if len({_fill_day(value, day) for day in SAMPLE_DAYS}) < len(SAMPLE_DAYS):
        raise ValueError("must hold the whole day, {day:%Y-%m-%d}: two days must not share a file")
    return value


def _fill_day(file_name: str, day: date) -> str:
    return _DAY_IN_NAME.sub(lambda match: render_moment(day, match[1]), file_name)


def _columns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(column in COLUMNS for column in value):
        raise ValueError("must be a list of " + ", ".join(COLUMNS))
    if len(set(value)) < len(value):
        raise ValueError("names a column twice")
    return tuple(value)


def _moment_format(value: object, allowed: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text that is not empty")
    return check_format(value, allowed)


def _separator(value: object) -> str:
    if not isinstance(value, str) or len(value) != 1 or value in '"\r\n':
        raise ValueError("must be one character, neither a quote nor a line end")
    return value


def _check_texts(profile: Profile, table: Table) -> None:
    """Note a file that cannot be written, or has no plain name: at set-up, not on the evening of the first day."""
    texts = [profile.site.name, profile.site.code, profile.separator]
    texts += [text for counter in profile.counters for text in (counter.name, counter.location)]
    for text in texts:
        try:
            text.encode(profile.encoding)
        except UnicodeEncodeError:
            table.problem("encoding", f"cannot write {text!r}; use utf-8")
    sample = profile.file_name_of(SAMPLE_DAYS[0])
    if re.search(r"[/\\\x00-\x1f]", sample) or sample.startswith("."):
        table.problem("file_name", f"must be a plain file name, no folder and no dot in front, not {sample!r}")


_NOWHERE = Site("", "", "", ZoneInfo("UTC"), Hours(0, 1440), None, 0)
"""Stands in while the problems of a profile without a site are collected; such a profile never leaves load_profiles."""
