"""Signatures of Standard Webhooks 1.0 (https://www.standardwebhooks.com, specification of 2023): HMAC-SHA256.

The signature covers ``id.timestamp.body``. The key is the base64 after ``whsec_``. The header is a space-separated list
of ``v1,<base64>``. A receiver holds one key, or two during a rotation.
"""

import base64
import hmac
import secrets
from collections.abc import Iterable, Mapping

from footfall.errors import BadSignature

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
PREFIX = "whsec_"
KEY_BYTES = 32
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64  # the specification's bounds


def new_key() -> str:
    """Return a fresh random key, ``whsec_`` and the base64 of 32 bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def parse_key(text: str) -> bytes:
    """Return the raw bytes of a key written ``whsec_...``. Raises ValueError if it is malformed."""
    if not text.startswith(PREFIX):
        raise ValueError(f"a key starts with {PREFIX}")
    try:
        raw = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError as exc:
        raise ValueError(f"a key is base64 after {PREFIX}") from exc
    if not MIN_KEY_BYTES <= len(raw) <= MAX_KEY_BYTES:
        raise ValueError(f"a key has {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, this one {len(raw)}")
    return raw


def sign(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the ``webhook-signature`` header for *body*."""
    digest = hmac.digest(key, f"{message_id}.{timestamp_s}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def signed_headers(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the three headers a counter sends with *body*."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": sign(key, message_id, timestamp_s, body),
    }


def verify(keys: Iterable[bytes], headers: Mapping[str, str], body: bytes, *, now_s: float, tolerance_s: int) -> None:
    """Raise BadSignature unless *headers* sign *body* with one of *keys*, at most *tolerance_s* from now."""
    try:
        message_id, stamp, given = (headers[name] for name in HEADERS)
    except KeyError:
        raise BadSignature(
            "the request is not signed", hint="send webhook-id, webhook-timestamp and webhook-signature"
        ) from None
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise BadSignature("webhook-timestamp is not a number", hint="send whole seconds since 1970 UTC")
    skew_s = int(stamp) - now_s
    if abs(skew_s) > tolerance_s:
        side = "ahead of" if skew_s > 0 else "behind"
        raise BadSignature(
            f"webhook-timestamp is {abs(skew_s):.0f} s {side} the server",
            hint=f"set the clock (NTP, or the Date header of this answer) to within {tolerance_s} s and sign again",
        )
    offered = [part.encode() for part in given.split(" ") if part.isascii()]
    for key in keys:
        wanted = sign(key, message_id, int(stamp), body).encode()
        if any(hmac.compare_digest(wanted, one) for one in offered):
            return
    raise BadSignature("no signature matches the body and this counter's keys", hint="check the counter's key")
