"""Whatever a WebSocket's handshake offers: a token counts as kube-apiserver's rule has it, and no
byte of it is among what goes upstream.

The rule is written here once more, over the list of entries that the lines were made of.
"""

import base64
import re

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from koproxy.wire.fields import Malformed
from koproxy.wire.request import parse_request

PREFIX = "base64url.bearer.authorization.k8s.io."
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)

TOKENS = st.from_regex(TOKEN, fullmatch=True) | st.text(max_size=6) | st.just("jane")
ENTRIES = st.one_of(
    st.sampled_from(["v4.channel.k8s.io", "v5.channel.k8s.io", ""]),
    TOKENS.map(lambda token: (PREFIX, token.encode())),
    st.binary(max_size=6).map(lambda token: (PREFIX, token)),
)
OFFERS = st.lists(st.lists(ENTRIES, min_size=1, max_size=3), max_size=3)
BLANKS = st.sampled_from(["", " ", "\t", "  "])


def encoded(token: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(token).decode().rstrip("=")


@given(OFFERS, st.sampled_from([b"", b"Bearer hers", b"Basic x"]), BLANKS, st.booleans())
def test_a_token_counts_once_and_goes_no_further(
    offers: list[list[str | tuple[str, bytes]]], authorization: bytes, blank: str, capital: bool
) -> None:
    everything = [entry for line in offers for entry in line]
    tokens = [entry[1] for entry in everything if isinstance(entry, tuple)]
    others = [entry for entry in everything if isinstance(entry, str)]
    name = "Sec-WebSocket-Protocol" if capital else "sec-websocket-protocol"
    lines = [
        f"{name}:{blank}"
        + f"{blank},{blank}".join(
            entry if isinstance(entry, str) else encoded(entry[1]) for entry in line
        )
        for line in offers
    ]
    head = "\r\n".join(
        ["GET / HTTP/1.1", "Host: k", "Connection: Upgrade", "Upgrade: websocket", *lines]
    ).encode()
    if authorization:
        head += b"\r\nAuthorization: " + authorization
    good = (
        len(tokens) == 1
        and others != []
        and TOKEN.fullmatch(tokens[0].decode("latin-1")) is not None
    )
    event(f"tokens: {len(tokens)}, good: {good}, authorization: {authorization != b''}")
    if tokens and not good and not authorization:
        with pytest.raises(Malformed) as problem:
            parse_request(head + b"\r\n\r\n")
        assert problem.value.status == 401
        return
    fields = parse_request(head + b"\r\n\r\n").fields
    if authorization:
        assert fields.authorization == authorization
    elif tokens:
        assert fields.authorization == b"Bearer " + tokens[0]
    else:
        assert fields.authorization == b""
    assert PREFIX.encode() not in fields.passed_on
    offered = re.findall(rb"(?mi)^sec-websocket-protocol:(.*)\r$", fields.passed_on)
    left = [each.strip().decode() for value in offered for each in value.split(b",")]
    assert left == others
