"""What names and labels may be made of, in the words of API servers. Pure.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_QUALIFIED})?"
_LONGEST_LABEL, _LONGEST_SUBDOMAIN = 63, 253

_STARTS = "and must start and end with an alphanumeric character (e.g. "
_CHECKED = "regex used for validation is "
_SAYS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    f"{_STARTS}'my-name',  or '123-abc', {_CHECKED}'{LABEL}')"
)
_SAYS_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    f"'.', {_STARTS}'example.com', {_CHECKED}'{SUBDOMAIN}')"
)
_OF = "must consist of alphanumeric characters, '-', '_' or '.', "
_NAMES = "'MyName',  or 'my.name',  or '123-abc', "
_SAYS_QUALIFIED = f"{_OF}{_STARTS}{_NAMES}{_CHECKED}'{_QUALIFIED}')"
_SAYS_TWO_PARTS = (
    f"a valid label key {_SAYS_QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. "
    "'example.com/MyName')"
)
_SAYS_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    f"'.', {_STARTS}'MyValue',  or 'my_value',  or '12345', {_CHECKED}'{_VALUE}')"
)


def wrong_label(name: str) -> Iterator[str]:
    """Say what is wrong with a name that is to be a label of a domain (RFC 1123)."""
    if len(name) > _LONGEST_LABEL:
        yield f"must be no more than {_LONGEST_LABEL} characters"
    if not re.fullmatch(LABEL, name):
        yield _SAYS_LABEL


def wrong_subdomain(name: str, characters: str = "characters") -> Iterator[str]:
    """Say what is wrong with a name that is to be a domain's (RFC 1123).

    `characters` is what its length is said to be counted in.
    """
    if len(name) > _LONGEST_SUBDOMAIN:
        yield f"must be no more than {_LONGEST_SUBDOMAIN} {characters}"
    if not re.fullmatch(SUBDOMAIN, name):
        yield _SAYS_SUBDOMAIN


def wrong_key(key: str) -> Iterator[str]:
    """Say what is wrong with a label's key."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        yield _SAYS_TWO_PARTS
        return
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash:
        yield from (f"prefix part {why}" for why in wrong_subdomain(prefix, "bytes"))
    if not name:
        yield "name part must be non-empty"
    elif len(name) > _LONGEST_LABEL:
        yield f"name part must be no more than {_LONGEST_LABEL} bytes"
    if not re.fullmatch(_QUALIFIED, name):
        yield f"name part {_SAYS_QUALIFIED}"


def wrong_value(value: str) -> Iterator[str]:
    """Say what is wrong with a label's value."""
    if len(value) > _LONGEST_LABEL:
        yield f"must be no more than {_LONGEST_LABEL} bytes"
    if not re.fullmatch(_VALUE, value):
        yield _SAYS_VALUE
