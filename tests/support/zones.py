"""A time zone for tests that run on the real clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_ZONES = ("Europe/Paris", "Pacific/Honolulu")  # twelve hours apart, an hour less in summer


def zone_where_it_is_day() -> ZoneInfo:
    """Return a time zone in which it is now between 01:00 and 16:00, far from midnight and from closing time."""
    now_utc = datetime.now(UTC)
    return next(zone for zone in map(ZoneInfo, _ZONES) if 1 <= now_utc.astimezone(zone).hour < 16)
