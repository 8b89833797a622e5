"""An identity as the header lines by which an API server impersonates it, exactly or not at all.

Follows "User impersonation" in the Kubernetes documentation and the encoding of client-go. What
Go's HTTP server would read as another identity is refused, as is what Kubernetes keeps for itself.
"""

import json
import re
from collections.abc import Set

from koproxy.identity.added import CLIENT_IP, NOTHING, Added
from koproxy.identity.user import Identity

MAX_BYTES = 512 * 1024
"""An API server takes a head of about twice this size, with everything else that is in it."""

_SYSTEM = "system:"
_EVERYBODY = "system:authenticated"  # an API server adds it to everyone that has a name
_CONTROLS = re.compile("[\x00-\x1f\x7f]")
_ADDRESS = re.compile(rb"[0-9A-Za-z.:%_-]+")  # with the zone of an IPv6 address (RFC 4007)
_KEY_BYTES = frozenset(b"!#$&'*+-.0123456789^_`abcdefghijklmnopqrstuvwxyz|~")


class NotCarried(Exception):
    """An identity that isn't passed on; the text is a sentence for the person who has it."""


def impersonation_headers(
    identity: Identity, *, allow_reserved_groups: Set[str] = frozenset(), added: Added = NOTHING
) -> bytes:
    """Write an identity as ``Impersonate-*`` lines, each ended by CRLF, with what is ``added``.

    Raises NotCarried if a part would not arrive as it is, if the user, or a group that
    ``allow_reserved_groups`` doesn't name, is one of Kubernetes' own, or if the identity has an
    extra field that is the proxy's to give.
    """
    if not identity.username:
        raise NotCarried("the token gives an empty user name")
    if identity.username.startswith(_SYSTEM):
        raise NotCarried(f"the user name {shown(identity.username)} is reserved for Kubernetes")
    for group in identity.groups:
        if group.startswith(_SYSTEM) and group != _EVERYBODY and group not in allow_reserved_groups:
            raise NotCarried(
                f"the group {shown(group)} is reserved for Kubernetes"
                " (see the option --allow-reserved-groups)"
            )
    return _lines(identity, added)


def reviewed_headers(identity: Identity, original: Identity, *, added: Added = NOTHING) -> bytes:
    """Write an identity that ``original`` was found to be allowed to take on, and who that is.

    What Kubernetes reserves is the API server's to allow here, and it was asked. Raises NotCarried
    as ``impersonation_headers`` does otherwise.
    """
    return _lines(identity, added.with_original(original))


def own_headers(identity: Identity) -> bytes:
    """Write what a client asks to be that the API server itself will decide about.

    Raises NotCarried if a part would not arrive as it is.
    """
    return _lines(identity, NOTHING)


def client_ip_line(address: bytes) -> bytes:
    """Write the extra field with a client's address: an IP address as text, without a port.

    Raises ValueError if it is nothing that an address is written with.
    """
    if _ADDRESS.fullmatch(address) is None:
        raise ValueError("a client's address is no IP address")
    return b"Impersonate-Extra-%b: %b\r\n" % (_escaped(CLIENT_IP), address)


def _lines(identity: Identity, added: Added) -> bytes:
    lines = [b"Impersonate-User: " + _value("user name", identity.username)]
    if identity.uid:
        lines.append(b"Impersonate-Uid: " + _value("uid", identity.uid))
    lines += [b"Impersonate-Group: " + _value("group", group) for group in identity.groups]
    for key, _ in identity.extra:
        if key.lower() in added.own_keys:
            raise NotCarried(f"the extra field {shown(key)} is the proxy's to give, nobody else's")
    seen: set[str] = set()
    for key, values in identity.extra + added.extra:
        if not key or not values or key in seen:
            raise NotCarried("the extra fields have an empty or repeated name, or one no value")
        seen.add(key)
        name = b"Impersonate-Extra-" + _escaped(key) + b": "
        lines += [name + _value("extra field", value) for value in values]
    block = b"\r\n".join([*lines, b""])
    if len(block) > MAX_BYTES:
        raise NotCarried(f"the user has so many groups that they need more than {MAX_BYTES} bytes")
    return block


def anonymous_headers(username: str) -> bytes:
    """Write Kubernetes' own name for nobody; an API server adds the group that goes with it."""
    return b"Impersonate-User: " + _value("user name", username) + b"\r\n"


def _value(kind: str, text: str) -> bytes:
    if _CONTROLS.search(text):
        raise NotCarried(f"the {kind} {shown(text)} has a control character")
    if text[:1] == " " or text[-1:] == " ":
        raise NotCarried(f"the {kind} {shown(text)} begins or ends with a blank")
    return _utf8(text)


def _escaped(key: str) -> bytes:
    # An API server puts the name in lower case before it takes the escapes out, so a capital that
    # is escaped stays one.
    return b"".join(
        bytes((byte,)) if byte in _KEY_BYTES else b"%%%02X" % byte for byte in _utf8(key)
    )


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NotCarried("the identity has a character that is none of Unicode's") from None


def shown(text: str) -> str:
    """Quote a name for a sentence, in few characters and with none that does something."""
    return json.dumps(text if len(text) <= 100 else text[:100] + "...")
