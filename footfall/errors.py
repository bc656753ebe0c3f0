"""Every error Footfall raises on purpose.

    FootfallError
      ConfigError        footfall.toml, the key file or the environment is wrong; carries every problem found
      InvalidBatch       a request's body breaks the wire format; names the field
      UnknownCounter     the counter is not registered
      BadSignature       wrong key, altered body, or a timestamp outside the tolerance
      StoreUnavailable   the store cannot be read or written now; the same call may succeed later
      PointsRefused      InfluxDB will never accept some of these points
      TooLarge           the request is too large for InfluxDB; send fewer points at a time
      InvalidHistory     ``footfall import`` cannot take a file; names the line
      DeliveryError      a file did not reach its destination; says whether a retry can help

A message says what failed, on what, and why. A hint says what to do. Adapters translate their library's errors into
these, so no caller catches an error of sqlite3, paramiko or urllib3.
"""

from collections.abc import Sequence


class FootfallError(Exception):
    """A failure that a person or a client can act on."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Take *message* (what failed) and *hint* (what to do; may be empty)."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(FootfallError):
    """The configuration is wrong. ``problems`` lists every problem, one sentence each."""

    def __init__(self, source: str, problems: Sequence[str], *, hint: str = "") -> None:
        """Report all *problems* at once. *source* is the file or variable that contains them."""
        self.source = source
        self.problems = tuple(problems)
        many = f"{source}: " if len(self.problems) == 1 else f"{source} has {len(self.problems)} problems:\n  "
        super().__init__(many + "\n  ".join(self.problems), hint=hint)


class InvalidBatch(FootfallError):
    """A request breaks the wire format. ``field`` names the place, such as ``crossings[3].time``."""

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class UnknownCounter(FootfallError):
    """The batch names a counter that is not registered or was removed."""


class BadSignature(FootfallError):
    """The request is not signed with one of the counter's keys, or its timestamp is outside the tolerance."""


class StoreUnavailable(FootfallError):
    """The store cannot do this now; the same call may succeed later.

    It is full, locked, unreadable or missing, or it refuses access (``status`` 401, 403, 404) until someone acts.
    SQLite stored nothing of the call. A remote store may have stored it and lost the answer.
    """

    def __init__(
        self, message: str, *, hint: str = "", retry_after_s: float | None = None, status: int | None = None
    ) -> None:
        """``retry_after_s`` is the wait that a server asked for, ``status`` its HTTP status; None if there was none."""
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s
        self.status = status


class PointsRefused(FootfallError):
    """InfluxDB will never accept at least one of the points (400, 422). The others may or may not be stored."""


class TooLarge(FootfallError):
    """The request is too large for InfluxDB or a proxy in front of it (413). Nothing was stored."""


class InvalidHistory(FootfallError):
    """A history file cannot be imported. Nothing of that file was stored."""


class DeliveryError(FootfallError):
    """A file did not reach its destination under its final name.

    ``permanent`` is true if a retry cannot help until someone does what ``hint`` says.
    """

    def __init__(self, message: str, *, permanent: bool, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.permanent = permanent
