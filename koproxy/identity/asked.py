"""Who a client asks to be: its ``Impersonate-*`` headers, read strictly.

What kube-apiserver reads is read as it does ("User impersonation" in the Kubernetes documentation);
what it would read in an unexpected way is refused: a second user or uid, of which it takes the
first, an empty value, which it passes over or takes for any, and another header of that kind.
Nothing is decided here about whether a client may.
"""

import re
from urllib.parse import unquote_to_bytes

from koproxy.identity.user import Identity

MOST_VALUES = 64
"""How many values a request may have: each is a question to the API server."""

_PREFIX = b"impersonate-"
_EXTRA = b"impersonate-extra-"
_NO_ESCAPE = re.compile(rb"%(?![0-9a-f]{2})")


class NotUnderstood(Exception):
    """The headers can't be read; the text is a sentence without a byte that the client chose."""


def read_asked(fields: bytes) -> Identity:
    """Read whom a request's header fields ask for; there has to be at least one such header.

    ``fields`` are whole lines, each ended by CRLF, whose form has been checked; a blank or a tab
    around a value doesn't count. Groups and extra fields are in the order in which they stand
    there. Raises NotUnderstood.
    """
    single: dict[bytes, str] = {}
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    number = 0
    for line in fields.split(b"\r\n"):
        name, _, rest = line.partition(b":")
        name = name.lower()
        # Some servers read "_" as "-".
        if not name.replace(b"_", b"-").startswith(_PREFIX):
            continue
        number += 1
        if number > MOST_VALUES:
            raise NotUnderstood(f"there are more than {MOST_VALUES} Impersonate-... headers")
        value = _text(rest.strip(b" \t"))
        if not value:
            raise NotUnderstood("an Impersonate-... header has no value")
        if name == b"impersonate-group":
            groups.append(value)
        elif name.startswith(_EXTRA):
            extra.setdefault(_key(name.removeprefix(_EXTRA)), []).append(value)
        elif name not in _SINGLE:
            raise NotUnderstood("there is an Impersonate-... header that Kubernetes doesn't know")
        elif name in single:
            raise NotUnderstood(f"there are two headers for the {_SINGLE[name]}")
        else:
            single[name] = value
    if b"impersonate-user" not in single:
        raise NotUnderstood("a uid, a group or an extra field is asked for without a user")
    return Identity(
        single[b"impersonate-user"],
        single.get(b"impersonate-uid", ""),
        tuple(groups),
        tuple((key, tuple(values)) for key, values in extra.items()),
    )


_SINGLE = {b"impersonate-user": "user", b"impersonate-uid": "uid"}


def _key(escaped: bytes) -> str:
    # kube-apiserver takes a key with a broken escape as it stands.
    key = escaped if _NO_ESCAPE.search(escaped) else unquote_to_bytes(escaped)
    if not key:
        raise NotUnderstood("an Impersonate-Extra-... header has no key")
    return _text(key)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise NotUnderstood("an Impersonate-... header is not UTF-8") from None
