"""Whom a client asks to be, whatever it sends: what is understood arrives as it was understood."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from koproxy.identity.asked import MOST_VALUES, NotUnderstood, read_asked
from koproxy.identity.impersonation import NotCarried, own_headers
from koproxy.wire.fields import FIELD_LINES

_names = st.sampled_from(
    ["Impersonate-User", "impersonate-UID", "Impersonate-Group", "Impersonate_Group", "Accept"]
) | st.text("aA%4f/-_.", max_size=8).map(lambda key: f"Impersonate-Extra-{key}")
_values = st.binary(max_size=6) | st.sampled_from([b"jane", b" ", b"\xc3\xa4", b"system:masters"])
_lines = st.lists(st.tuples(_names, _values), max_size=8).map(
    lambda lines: b"".join(name.encode() + b":" + value + b"\r\n" for name, value in lines)
)


@given(_lines.filter(lambda block: FIELD_LINES.fullmatch(block) is not None))
def test_what_is_understood_is_written_so_that_it_is_understood_alike(block: bytes) -> None:
    try:
        asked = read_asked(block + b"\r\n")
        written = own_headers(asked)
    except (NotUnderstood, NotCarried):
        return
    assert asked.username
    values = [asked.username, *asked.groups, *(v for _, each in asked.extra for v in each)]
    assert all(values)
    assert len(values) <= MOST_VALUES
    assert read_asked(written) == asked


@given(st.binary(max_size=60))
def test_nothing_else_is_raised(block: bytes) -> None:
    with contextlib.suppress(NotUnderstood):
        read_asked(b"Impersonate-User: a\r\nImpersonate-Extra-" + block)
