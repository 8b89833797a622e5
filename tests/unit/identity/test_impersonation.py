"""An identity as header lines, or not at all."""

import pytest

from koproxy.identity.impersonation import MAX_BYTES, NotCarried, impersonation_headers
from koproxy.identity.user import Identity


def test_the_lines_of_an_identity() -> None:
    identity = Identity(
        "jane", "4-2", ("dev", "", "dev"), (("example.org/team", ("a", "")), ("Sp\xe4t", ("\xfc",)))
    )
    assert impersonation_headers(identity) == (
        b"Impersonate-User: jane\r\n"
        b"Impersonate-Uid: 4-2\r\n"
        b"Impersonate-Group: dev\r\n"
        b"Impersonate-Group: \r\n"
        b"Impersonate-Group: dev\r\n"
        b"Impersonate-Extra-example.org%2Fteam: a\r\n"
        b"Impersonate-Extra-example.org%2Fteam: \r\n"
        b"Impersonate-Extra-%53p%C3%A4t: \xc3\xbc\r\n"
    )
    assert impersonation_headers(Identity("j\xe4ne")) == b"Impersonate-User: j\xc3\xa4ne\r\n"


@pytest.mark.parametrize(
    "text",
    [
        " x",
        "x ",
        " ",
        "\tx",
        "x\t",
        "x\ty",
        "x\r\ny",
        "x\ny",
        "x\ry",
        "\x00",
        "x\x7f",
        "x\x1f",
        "\ud800",
    ],
)
def test_what_would_not_arrive_as_it_is_is_refused(text: str) -> None:
    for identity in (
        Identity(text),
        Identity("jane", uid=text),
        Identity("jane", groups=("dev", text)),
        Identity("jane", extra=(("a", ("b", text)),)),
    ):
        with pytest.raises(NotCarried):
            impersonation_headers(identity)


@pytest.mark.parametrize(
    "text", ["a b", "\xa0x\u3000", "\x85", "\u2028", "\ufeff", "a:b", "%41", "\U0001f600"]
)
def test_what_arrives_as_it_is_is_carried(text: str) -> None:
    assert text.encode() in impersonation_headers(Identity(text))


def test_an_empty_user_is_refused() -> None:
    with pytest.raises(NotCarried, match="empty user name"):
        impersonation_headers(Identity("", groups=("dev",)))


@pytest.mark.parametrize("name", ["system:admin", "system:", "system:serviceaccount:a:b"])
def test_reserved_users_are_refused_whatever_is_allowed(name: str) -> None:
    with pytest.raises(NotCarried, match="reserved"):
        impersonation_headers(Identity(name), allow_reserved_groups={name})


def test_reserved_groups_are_refused_unless_named() -> None:
    jane = Identity("jane", groups=("dev", "system:masters", "system:authenticated"))
    with pytest.raises(NotCarried, match="--allow-reserved-groups"):
        impersonation_headers(jane, allow_reserved_groups={"system:other", "system:"})
    lines = impersonation_headers(jane, allow_reserved_groups={"system:masters"})
    assert b"Impersonate-Group: system:masters\r\n" in lines
    assert impersonation_headers(
        Identity("jane", groups=("system:authenticated", "System:masters"))
    )


@pytest.mark.parametrize("extra", [(("", ("a",)),), (("a", ()),), (("a", ("b",)), ("a", ("c",)))])
def test_extra_fields_that_no_header_can_say_are_refused(
    extra: tuple[tuple[str, tuple[str, ...]], ...],
) -> None:
    with pytest.raises(NotCarried, match="extra"):
        impersonation_headers(Identity("jane", extra=extra))


def test_the_lines_are_bounded() -> None:
    with pytest.raises(NotCarried, match="so many groups"):
        impersonation_headers(Identity("jane", groups=("g" * 100,) * (MAX_BYTES // 100)))


def test_a_message_shows_little_of_a_long_name() -> None:
    with pytest.raises(NotCarried) as caught:
        impersonation_headers(Identity("system:" + "x" * 10_000))
    assert len(str(caught.value)) < 200
    with pytest.raises(NotCarried) as caught:
        impersonation_headers(Identity("x\r\n\x1b[31m\u202e"))
    assert str(caught.value).isprintable()
    assert str(caught.value).isascii()
