"""Where on earth it is a good time for a test that runs on the real clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_ZONES = ("Europe/Paris", "Pacific/Honolulu")  # twelve hours apart, an hour less in summer


def zone_where_it_is_day() -> ZoneInfo:
    """Return a time zone where no midnight and no evening is near: yesterday is over, and today is not late."""
    now_utc = datetime.now(UTC)
    return next(zone for zone in map(ZoneInfo, _ZONES) if 1 <= now_utc.astimezone(zone).hour < 16)
