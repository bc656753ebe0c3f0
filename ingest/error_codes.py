"""The error codes of the HTTP API, for the reference. Clients rely on them: a code never changes its meaning."""

from typing import NamedTuple


class ErrorCode(NamedTuple):
    """``status`` is the HTTP status that comes with it; 0 if it varies."""

    status: int
    code: str
    meaning: str


ERROR_CODES = (
    ErrorCode(400, "bad_request", "The request is not valid HTTP."),
    ErrorCode(400, "invalid_batch", "The body is not JSON, or a field is missing, of the wrong type or out of bounds."),
    ErrorCode(400, "invalid_query", "A parameter is wrong."),
    ErrorCode(401, "bad_signature", "The signature is missing or wrong, or the counter's clock is off."),
    ErrorCode(401, "unknown_counter", "The counter is not registered, or it was removed."),
    ErrorCode(403, "forbidden_network", "An old device sent a row from a network that is not allowed."),
    ErrorCode(404, "no_file", "There is no such download: no file was delivered for that period."),
    ErrorCode(404, "not_found", "No such address, or rows of old devices are not enabled."),
    ErrorCode(404, "unknown_profile", "The site has no such profile."),
    ErrorCode(404, "unknown_site", "No such site."),
    ErrorCode(405, "method_not_allowed", "The address does not take this method."),
    ErrorCode(408, "body_too_slow", "The body did not arrive in time."),
    ErrorCode(409, "conflict", "An old device sent a row for a half hour that is stored with other counts."),
    ErrorCode(413, "body_too_large", "The body is larger than 262144 bytes."),
    ErrorCode(415, "wrong_content_type", "The address does not take this content type."),
    ErrorCode(500, "internal", "Ingest failed unexpectedly; its log has the traceback. Nothing was stored."),
    ErrorCode(503, "store_unavailable", "The disk is full or the store is locked. Nothing was stored."),
    ErrorCode(0, "refused", "The web framework refused the request for another reason."),
)
"""Ordered by status."""
