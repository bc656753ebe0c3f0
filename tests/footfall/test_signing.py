"""Signatures: ours and the reference implementation's are identical; everything else is refused."""

import base64
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from footfall.errors import BadSignature
from footfall.signing import KEY_BYTES, PREFIX, new_key, parse_key, sign, signed_headers, verify

KEY_TEXT = PREFIX + base64.b64encode(bytes(range(32))).decode()
KEY = parse_key(KEY_TEXT)
OTHER = b"o" * 32
NOW_S = 1_777_889_100
BODY = b'{"counter": "ALLI1"}'

bodies = st.text().map(str.encode)
message_ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
raw_keys = st.binary(min_size=24, max_size=64)


def check(
    headers: dict[str, str], *, keys: tuple[bytes, ...] = (KEY,), body: bytes = BODY, now_s: float = NOW_S
) -> None:
    verify(keys, headers, body, now_s=now_s, tolerance_s=300)


def signed(**changed: str) -> dict[str, str]:
    """Return the headers that sign BODY now, *changed*; an underscore in a name stands for a hyphen."""
    headers = signed_headers(KEY, "msg_1", NOW_S, BODY)
    return headers | {name.replace("_", "-"): value for name, value in changed.items()}


@settings(deadline=None)
@given(raw_keys, message_ids, bodies)
def test_reference_implementation_takes_what_we_sign(key: bytes, message_id: str, body: bytes) -> None:
    now_s = int(datetime.now(UTC).timestamp())  # the reference asks the system's clock
    headers = signed_headers(key, message_id, now_s, body)
    Webhook(PREFIX + base64.b64encode(key).decode()).verify(body, headers, json_parse=False)


@settings(deadline=None)
@given(raw_keys, message_ids, bodies, st.integers(1, 4_000_000_000))
def test_we_take_what_reference_implementation_signs(key: bytes, message_id: str, body: bytes, now_s: int) -> None:
    moment = datetime.fromtimestamp(now_s, UTC)
    signature = Webhook(PREFIX + base64.b64encode(key).decode()).sign(message_id, moment, body.decode())
    headers = {"webhook-id": message_id, "webhook-timestamp": str(now_s), "webhook-signature": signature}
    check(headers, keys=(key,), body=body, now_s=now_s)


def test_signature_is_that_of_the_specification() -> None:
    """The vector of the specification's reference tests (github.com/standard-webhooks, libraries)."""
    key = parse_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@settings(deadline=None)
@given(bodies, bodies)
def test_changed_body_is_refused(body: bytes, other: bytes) -> None:
    headers = signed_headers(KEY, "msg_1", NOW_S, body)
    if other == body:
        check(headers, body=other)
        return
    with pytest.raises(BadSignature, match="no signature matches"):
        check(headers, body=other)


@pytest.mark.parametrize("changed", [{"webhook_id": "msg_2"}, {"webhook_timestamp": str(NOW_S + 1)}])
def test_changed_id_or_time_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(BadSignature, match="no signature matches"):
        check(signed(**changed))


def test_foreign_key_is_refused() -> None:
    with pytest.raises(BadSignature, match="no signature matches"):
        check(signed(), keys=(OTHER,))


def test_no_keys_refuse_everything() -> None:
    with pytest.raises(BadSignature):
        check(signed(), keys=())


@pytest.mark.parametrize("keys", [(OTHER, KEY), (KEY, OTHER)])
def test_either_of_two_keys_signs(keys: tuple[bytes, ...]) -> None:
    check(signed(), keys=keys)


@pytest.mark.parametrize("skew_s", [-300, -299.5, 0, 299.5, 300])
def test_time_at_the_edge_of_the_tolerance_is_taken(skew_s: float) -> None:
    check(signed(), now_s=NOW_S - skew_s)


@pytest.mark.parametrize(("skew_s", "side"), [(300.001, "ahead of"), (-300.001, "behind"), (86_400, "ahead of")])
def test_time_past_the_tolerance_is_refused_and_says_on_which_side(skew_s: float, side: str) -> None:
    with pytest.raises(BadSignature, match=rf"s {side} the server$"):
        check(signed(), now_s=NOW_S - skew_s)


@pytest.mark.parametrize(
    "stamp", ["", "soon", "-1", "+1", " 1", "1.5", "1e9", "0x1", "١٧", "²", "1" * 13, "1\n", "1_000"]
)
def test_timestamp_that_is_no_plain_number_is_refused(stamp: str) -> None:
    with pytest.raises(BadSignature, match="webhook-timestamp is not a number"):
        check(signed(webhook_timestamp=stamp))


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_request_without_one_of_the_headers_is_not_signed(missing: str) -> None:
    headers = signed()
    del headers[missing]
    with pytest.raises(BadSignature) as refusal:
        check(headers)
    assert refusal.value.message == "the request is not signed"
    assert refusal.value.hint == "send webhook-id, webhook-timestamp and webhook-signature"


@pytest.mark.parametrize("place", range(3))
def test_one_of_several_signatures_is_enough(place: int) -> None:
    """The header is a list separated by spaces; versions and signatures we do not know are skipped."""
    several = ["v1a,AAAA", "v1," + base64.b64encode(bytes(32)).decode(), "garbage"]
    several.insert(place, sign(KEY, "msg_1", NOW_S, BODY))
    check(signed(webhook_signature=" ".join(several)))


@pytest.mark.parametrize("version", ["", "v1a,", "V1,", "v2,"])
def test_right_digest_under_another_version_is_refused(version: str) -> None:
    digest = sign(KEY, "msg_1", NOW_S, BODY).removeprefix("v1,")
    with pytest.raises(BadSignature):
        check(signed(webhook_signature=version + digest))


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=255)))
def test_signature_of_any_characters_is_refused_not_a_crash(text: str) -> None:
    """Headers reach us as Latin-1, whatever bytes were sent."""
    with pytest.raises(BadSignature):
        check(signed(webhook_signature=text))


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_id_and_timestamp_of_any_characters_are_refused_not_a_crash(message_id: str, stamp: str) -> None:
    with pytest.raises(BadSignature):
        check(signed(webhook_id=message_id + "é", webhook_timestamp=stamp))


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (
            {"webhook_timestamp": "soon"},
            "webhook-timestamp is not a number",
            "send whole seconds since 1970 UTC",
        ),
        (
            {"webhook_timestamp": str(NOW_S + 301)},
            "webhook-timestamp is 301 s ahead of the server",
            "set the clock (NTP, or the Date header of this answer) to within 300 s and sign again",
        ),
        (
            {"webhook_timestamp": "9" * 12},
            f"webhook-timestamp is {999_999_999_999 - NOW_S} s ahead of the server",
            "set the clock (NTP, or the Date header of this answer) to within 300 s and sign again",
        ),
        (
            {"webhook_id": "msg_2"},
            "no signature matches the body and this counter's keys",
            "check the counter's key",
        ),
        (
            {"webhook_signature": "v1,"},
            "no signature matches the body and this counter's keys",
            "check the counter's key",
        ),
    ],
)
def test_refusal_says_what_is_wrong_and_what_to_do(given: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(BadSignature) as refusal:
        check(signed(**given))
    assert (refusal.value.message, refusal.value.hint) == (message, hint)


@pytest.mark.parametrize("skew_s", [1, -1])
def test_zero_tolerance_names_the_side_for_a_second(skew_s: int) -> None:
    side = "ahead of" if skew_s > 0 else "behind"
    with pytest.raises(BadSignature, match=f"^webhook-timestamp is 1 s {side} the server$"):
        verify((KEY,), signed(), BODY, now_s=NOW_S - skew_s, tolerance_s=0)


def test_signatures_are_separated_by_single_spaces() -> None:
    """Other white space is part of a signature, which then does not match."""
    signature = sign(KEY, "msg_1", NOW_S, BODY)
    with pytest.raises(BadSignature):
        check(signed(webhook_signature=f"v1,AAAA\t{signature}"))


@pytest.mark.parametrize("size", [24, 64])
def test_shortest_and_longest_key_are_accepted(size: int) -> None:
    assert parse_key(PREFIX + base64.b64encode(bytes(size)).decode()) == bytes(size)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "starts with whsec_"),
        (KEY_TEXT.removeprefix(PREFIX), "starts with whsec_"),
        (KEY_TEXT.upper(), "starts with whsec_"),
        (" " + KEY_TEXT, "starts with whsec_"),
        (PREFIX, "24 to 64 bytes, this one 0"),
        (PREFIX + base64.b64encode(bytes(23)).decode(), "24 to 64 bytes, this one 23"),
        (PREFIX + base64.b64encode(bytes(65)).decode(), "24 to 64 bytes, this one 65"),
        (KEY_TEXT.rstrip("="), "is base64"),
        (KEY_TEXT + "\n", "is base64"),
        (KEY_TEXT[:-4] + "!" + KEY_TEXT[-3:], "is base64"),
        (KEY_TEXT[:-4] + "é" + KEY_TEXT[-3:], "is base64"),
        (KEY_TEXT.replace("B", "-", 1), "is base64"),
    ],
)
def test_bad_key_says_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        parse_key(text)


def test_new_key_is_a_key_and_never_the_same() -> None:
    keys = {new_key() for _ in range(20)}
    assert {len(parse_key(key)) for key in keys} == {KEY_BYTES}
    assert len(keys) == 20
