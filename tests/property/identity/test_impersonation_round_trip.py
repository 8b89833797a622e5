"""An identity arrives as it was sent, or is not sent: read back by an independent decoder."""

import re
from urllib.parse import unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from koproxy.identity.impersonation import NotCarried, impersonation_headers
from koproxy.identity.user import Identity

_texts = st.text(max_size=12) | st.text("a \t\r\n\0:%\xa0\x85\u3000\xe4\ud800", max_size=6)
_names = _texts | st.sampled_from(["", "system:masters", "system:authenticated", "jane"])
identities = st.builds(
    Identity,
    _names,
    _names,
    st.lists(_names, max_size=4).map(tuple),
    st.lists(st.tuples(_names, st.lists(_names, max_size=3).map(tuple)), max_size=3).map(tuple),
)

# What RFC 9110, section 5 allows in a field's name and value.
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")


def decode(block: bytes) -> Identity:
    """Read impersonation headers by the page "User impersonation" of the Kubernetes documentation.

    As Go's HTTP server does, blanks around a value are taken off and names put in one case.
    """
    user = uid = None
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    assert block.endswith(b"\r\n")
    for line in block[:-2].split(b"\r\n"):
        name, colon, rest = line.partition(b":")
        assert colon
        assert _NAME.fullmatch(name)
        assert _VALUE.fullmatch(rest)
        value = rest.strip(b" \t").decode()
        lower = name.lower()
        if lower == b"impersonate-user":
            assert user is None
            user = value
        elif lower == b"impersonate-uid":
            assert uid is None
            uid = value
        elif lower == b"impersonate-group":
            groups.append(value)
        else:
            assert lower.startswith(b"impersonate-extra-")
            key = unquote_to_bytes(lower.removeprefix(b"impersonate-extra-")).decode()
            extra.setdefault(key, []).append(value)
    assert user
    return Identity(
        user, uid or "", tuple(groups), tuple((key, tuple(values)) for key, values in extra.items())
    )


@given(identities)
def test_an_identity_arrives_as_it_was_sent_or_is_not_sent(identity: Identity) -> None:
    try:
        block = impersonation_headers(identity)
    except NotCarried:
        return
    assert decode(block) == identity
    assert not identity.username.startswith("system:")
    for group in identity.groups:
        assert not group.startswith("system:") or group == "system:authenticated"


@given(identities)
def test_only_groups_that_are_named_may_be_reserved(identity: Identity) -> None:
    named = {"system:masters"}
    try:
        block = impersonation_headers(identity, allow_reserved_groups=named)
    except NotCarried:
        return
    assert decode(block) == identity
    assert {group for group in identity.groups if group.startswith("system:")} <= {
        "system:authenticated",
        "system:masters",
    }


@given(st.text("abcXYZ019 .-_\xe4\u3000", min_size=1, max_size=20))
def test_ordinary_names_are_carried(name: str) -> None:
    if name.strip(" "):
        name = name.strip(" ")
        assert decode(impersonation_headers(Identity(name, groups=(name,)))).groups == (name,)
