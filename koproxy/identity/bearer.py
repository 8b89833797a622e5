"""The bearer token in the value of an ``Authorization`` header, as kube-apiserver finds it.

Only the token is found here; nothing is said about whether it is any good.
"""

import re

# unicode.IsSpace of Go; str.isspace would count four separators of ASCII as well.
SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


# A header's value can hold none of these (RFC 9110, section 5.5).
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def bearer_token(authorization: bytes) -> bytes | None:
    """Return the token in a header's value (RFC 6750, section 2.1); None if there is none.

    The scheme counts in any case. Blanks around the value don't count; a single space ends the
    scheme, and another one ends the token: what follows is not looked at.
    """
    parts = _trimmed(authorization).split(b" ", 2)
    if _CONTROLS.search(authorization) or len(parts) < 2 or parts[0].lower() != b"bearer":
        return None
    return parts[1] or None


def _trimmed(value: bytes) -> bytes:
    if value.isascii():
        return value.strip()
    text = value.decode("utf-8", "surrogateescape").strip(SPACES)
    return text.encode("utf-8", "surrogateescape")
