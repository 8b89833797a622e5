"""The bearer token that a browser sends among a WebSocket's subprotocols.

A browser's script can set no ``Authorization`` on a WebSocket, so kube-apiserver takes the token
as one more subprotocol (k8s.io/apiserver, pkg/authentication/request/websocket). Here it is found
and taken away; nothing is said about whether it is any good.
"""

import base64
import re
from dataclasses import dataclass

from koproxy.wire.fields import Malformed, field_lines

HEADER = b"sec-websocket-protocol"
_PREFIX = b"base64url.bearer.authorization.k8s.io."

_BASE64URL = re.compile(rb"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?")
# RFC 6750, section 2.1: what could come in an Authorization as well, and would be all of it.
_BEARER_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]++=*+")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a request offers in its ``Sec-WebSocket-Protocol`` lines.

    ``tokens`` are the entries that are tokens, ``others`` the names of subprotocols, and
    ``passed_on`` is the line that goes upstream: never one with a token.
    """

    tokens: tuple[bytes, ...]
    others: tuple[bytes, ...]
    passed_on: bytes

    def authorization(self) -> bytes:
        """The token as the value of an ``Authorization``; empty if none was offered.

        Raises :class:`Malformed` with status 401 where kube-apiserver refuses: two tokens, a token
        without any other subprotocol, or what is not the unpadded base64url (RFC 4648, section 5)
        of a bearer token.
        """
        if not self.tokens:
            return b""
        if len(self.tokens) > 1:
            raise Malformed("there are two tokens in Sec-WebSocket-Protocol", 401)
        if not self.others:
            raise Malformed(
                "the token in Sec-WebSocket-Protocol needs another subprotocol beside it", 401
            )
        encoded = self.tokens[0].removeprefix(_PREFIX)
        if _BASE64URL.fullmatch(encoded) is None:
            raise Malformed("the token in Sec-WebSocket-Protocol is not unpadded base64url", 401)
        token = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        if _BEARER_TOKEN.fullmatch(token) is None:
            raise Malformed("what Sec-WebSocket-Protocol has as a token can't be one", 401)
        return b"Bearer " + token


def read_offer(block: bytes) -> Offer:
    """Read the offered subprotocols of a request's field lines.

    Several lines are one list (RFC 6455, section 11.3.4). Without a token they are passed on as
    they came. An entry that has the words of a token anywhere in it, in any case, is none of the
    ``others``: whoever trims or folds more than this reader may take it for a token.
    """
    lines = [(value, line) for name, value, line in field_lines(block) if name == HEADER]
    entries = [entry.strip(b" \t") for value, _ in lines for entry in value.split(b",")]
    others = tuple(entry for entry in entries if _PREFIX not in entry.lower())
    if len(others) == len(entries):
        return Offer((), others, b"".join(line for _, line in lines))
    return Offer(
        tuple(entry for entry in entries if entry.startswith(_PREFIX)),
        others,
        b"Sec-WebSocket-Protocol: %b\r\n" % b", ".join(others) if others else b"",
    )
