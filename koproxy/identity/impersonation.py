"""An identity as the header lines by which an API server impersonates it, exactly or not at all.

Follows "User impersonation" in the Kubernetes documentation and the encoding of client-go. What
Go's HTTP server would read as another identity is refused, as is what Kubernetes keeps for itself.
"""

import json
import re
from collections.abc import Set

from koproxy.identity.user import Identity

MAX_BYTES = 512 * 1024
"""An API server takes a head of about twice this size, with everything else that is in it."""

_SYSTEM = "system:"
_EVERYBODY = "system:authenticated"  # an API server adds it to everyone that has a name
_CONTROLS = re.compile("[\x00-\x1f\x7f]")
_KEY_BYTES = frozenset(b"!#$&'*+-.0123456789^_`abcdefghijklmnopqrstuvwxyz|~")


class NotCarried(Exception):
    """An identity that isn't passed on; the text is a sentence for the person who has it."""


def impersonation_headers(
    identity: Identity, *, allow_reserved_groups: Set[str] = frozenset()
) -> bytes:
    """Write an identity as ``Impersonate-*`` lines, each ended by CRLF.

    Raises NotCarried if a part would not arrive as it is, or if the user, or a group that
    ``allow_reserved_groups`` doesn't name, is one of Kubernetes' own.
    """
    if not identity.username:
        raise NotCarried("the token gives an empty user name")
    if identity.username.startswith(_SYSTEM):
        raise NotCarried(f"the user name {_shown(identity.username)} is reserved for Kubernetes")
    lines = [b"Impersonate-User: " + _value("user name", identity.username)]
    if identity.uid:
        lines.append(b"Impersonate-Uid: " + _value("uid", identity.uid))
    for group in identity.groups:
        if group.startswith(_SYSTEM) and group != _EVERYBODY and group not in allow_reserved_groups:
            raise NotCarried(
                f"the group {_shown(group)} is reserved for Kubernetes"
                " (see the option --allow-reserved-groups)"
            )
        lines.append(b"Impersonate-Group: " + _value("group", group))
    seen: set[str] = set()
    for key, values in identity.extra:
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
        raise NotCarried(f"the {kind} {_shown(text)} has a control character")
    if text[:1] == " " or text[-1:] == " ":
        raise NotCarried(f"the {kind} {_shown(text)} begins or ends with a blank")
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


def _shown(text: str) -> str:
    return json.dumps(text if len(text) <= 100 else text[:100] + "...")
