"""Every error Footfall raises on purpose.

    FootfallError
      ConfigError        footfall.toml, the key file or the environment is wrong; carries every problem found
      InvalidBatch       a request's body breaks the wire format; names the field
      UnknownCounter     nobody registered that counter
      BadSignature       wrong key, changed body, or a time stamp too old or too new
      StoreUnavailable   the store cannot be written or read now; the same call may succeed later
      PointsRefused      InfluxDB will never take some of these points
      TooLarge           InfluxDB takes no request of that size; fewer points at once may do
      InvalidHistory     a file given to ``footfall import`` cannot be taken; names the line
      DeliveryError      a file did not reach its destination; says whether trying again can help

A message says what failed, on what, and why. A hint says what to do. Adapters translate the errors of the
libraries below them into these, so no caller ever catches an error of sqlite3, paramiko or urllib3.
"""

from collections.abc import Sequence


class FootfallError(Exception):
    """Something failed that a person or a client can act on."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep *message* (what failed) and *hint* (what to do about it, may be empty)."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(FootfallError):
    """The configuration is wrong. ``problems`` lists everything found, one sentence each."""

    def __init__(self, source: str, problems: Sequence[str], *, hint: str = "") -> None:
        """Tell every one of *problems* at once; *source* is the file or variable they were found in."""
        self.source = source
        self.problems = tuple(problems)
        many = f"{source}: " if len(self.problems) == 1 else f"{source} has {len(self.problems)} problems:\n  "
        super().__init__(many + "\n  ".join(self.problems), hint=hint)


class InvalidBatch(FootfallError):
    """A request does not follow the wire format. ``field`` names the place, as ``crossings[3].time``."""

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class UnknownCounter(FootfallError):
    """The batch names a counter that is not registered, or that was removed."""


class BadSignature(FootfallError):
    """The request is not signed with one of the counter's keys, or not now."""


class StoreUnavailable(FootfallError):
    """The store cannot do this now; the same call may succeed later.

    Full, locked, unreadable, not there, or it refuses us (``status`` 401, 403, 404) until a person has acted. SQLite
    kept nothing of the call; a remote store may have kept it and lost its answer.
    """

    def __init__(
        self, message: str, *, hint: str = "", retry_after_s: float | None = None, status: int | None = None
    ) -> None:
        """``retry_after_s``: the wait a server asked for. ``status``: what a server answered over HTTP, if it did."""
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s
        self.status = status


class PointsRefused(FootfallError):
    """InfluxDB will never take at least one of the points (400, 422); the others may or may not have been kept."""


class TooLarge(FootfallError):
    """The request was too large for InfluxDB or a proxy before it (413); nothing of it was kept."""


class InvalidHistory(FootfallError):
    """A file of history cannot be imported; nothing of that file was kept."""


class DeliveryError(FootfallError):
    """A file did not reach its destination under its final name.

    ``permanent`` is true when trying again cannot help until a person has acted, as ``hint`` says.
    """

    def __init__(self, message: str, *, permanent: bool, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.permanent = permanent
