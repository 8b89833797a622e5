"""The token in an Authorization header's value."""

import pytest

from koproxy.identity.bearer import bearer_token


@pytest.mark.parametrize(
    "value",
    [
        b"Bearer a.b.c",
        b"bearer a.b.c",
        b"BEARER a.b.c",
        b" Bearer a.b.c ",
        b"\tBearer a.b.c\t",
        b"Bearer a.b.c and more",
        b"\xc2\xa0Bearer a.b.c\xe3\x80\x80",
    ],
)
def test_a_token_is_found_as_kube_apiserver_finds_it(value: bytes) -> None:
    assert bearer_token(value) == b"a.b.c"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" ",
        b"Bearer",
        b"Bearer ",
        b"Bearer  a.b.c",
        b"Bearer\ta.b.c",
        b"Bearer\xc2\xa0a.b.c",
        b"Basic a.b.c",
        b"Bearer: a.b.c",
        b"a.b.c",
        b"\xffBearer a.b.c",
        b"Bearer a.b.c\x00",
        b"Bearer a.b.c\x0b",
        b"\x1cBearer a.b.c",
        b"Bearer a\r\nb",
    ],
)
def test_everything_else_is_no_token(value: bytes) -> None:
    assert bearer_token(value) is None


def test_blanks_inside_a_token_are_left_to_its_reader() -> None:
    assert bearer_token(b"Bearer a\t.b.c") == b"a\t.b.c"
    assert bearer_token(b"Bearer a.b.c\xc2\xa0 x") == b"a.b.c\xc2\xa0"
