"""Whom a client asks to be, read as kube-apiserver reads it, or refused."""

import pytest

from koproxy.identity.asked import MOST_VALUES, NotUnderstood, read_asked
from koproxy.identity.impersonation import own_headers
from koproxy.identity.service_accounts import service_account
from koproxy.identity.user import Identity


def block(*lines: str) -> bytes:
    """Header fields as they come, with the empty line."""
    return "\r\n".join(["Host: k", *lines, "Accept: */*", "", ""]).encode()


def test_what_is_asked_for() -> None:
    assert read_asked(
        block(
            "Impersonate-Group:b",
            "impersonate-USER: \tjane \t",
            "Impersonate-Uid: 7",
            "Impersonate-Group: a",
            "Impersonate-Extra-Example.Org%2FTeam: x",
            "Impersonate-Extra-%41: y",
            "Impersonate-Extra-example.org%2fteam: z",
            "Impersonate-Extra-100%zz: w",
        )
    ) == Identity(
        "jane",
        "7",
        ("b", "a"),
        (("example.org/team", ("x", "z")), ("A", ("y",)), ("100%zz", ("w",))),
    )


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["Impersonate-Group: a"], "without a user"),
        (["Impersonate-Uid: a"], "without a user"),
        (["Impersonate-Extra-a: a"], "without a user"),
        (["Impersonate-User: a", "impersonate-user: b"], "two headers for the user"),
        (["Impersonate-User: a", "Impersonate-User: a"], "two headers for the user"),
        (["Impersonate-User: a", "Impersonate-Uid: 1", "Impersonate-Uid: 1"], "for the uid"),
        (["Impersonate-User:"], "no value"),
        (["Impersonate-User: a", "Impersonate-Group: \t"], "no value"),
        (["Impersonate-User: a", "Impersonate-Uid:"], "no value"),
        (["Impersonate-User: a", "Impersonate-Extra-a:"], "no value"),
        (["Impersonate-User: a", "Impersonate-Extra-: b"], "no key"),
        (["Impersonate-User: a", "Impersonate-Extra-%ff: b"], "UTF-8"),
        (["Impersonate-User: a", "Impersonate-Groups: b"], "doesn't know"),
        (["Impersonate-User: a", "Impersonate-Extra: b"], "doesn't know"),
        (["Impersonate_User: a"], "doesn't know"),
        (["Impersonate-User: a", "Impersonate_Group: b"], "doesn't know"),
        (["Impersonate-User: a", "Impersonate-Extra_a: b"], "doesn't know"),
        (["Impersonate-User: a", *["Impersonate-Group: g"] * MOST_VALUES], "more than"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(lines: list[str], why: str) -> None:
    with pytest.raises(NotUnderstood, match=why):
        read_asked(block(*lines))


def test_what_is_not_utf8_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="UTF-8"):
        read_asked(b"Impersonate-User: \xff\r\n")


def test_as_many_as_may_be() -> None:
    groups = ["Impersonate-Group: g"] * (MOST_VALUES - 1)
    asked = read_asked(block("Impersonate-User: a", *groups))
    assert len(asked.groups) == MOST_VALUES - 1
    assert read_asked(own_headers(asked)) == asked


@pytest.mark.parametrize(
    ("username", "account"),
    [
        ("system:serviceaccount:kube-system:default", ("kube-system", "default")),
        ("system:serviceaccount:a:b.c-d.0", ("a", "b.c-d.0")),
        ("system:serviceaccount:a:" + "b" * 253, ("a", "b" * 253)),
        ("system:serviceaccount:a:" + "b" * 254, None),
        ("system:serviceaccount:" + "a" * 64 + ":b", None),
        ("system:serviceaccount:a", None),
        ("system:serviceaccount::b", None),
        ("system:serviceaccount:a:", None),
        ("system:serviceaccount:a:b:c", None),
        ("system:serviceaccount:A:b", None),
        ("system:serviceaccount:a.b:c", None),
        ("system:serviceaccount:a:b\n", None),
        ("system:serviceaccount:a:-b", None),
        ("system:serviceaccount:a:b..c", None),
        ("system:serviceaccounts:a:b", None),
        ("jane", None),
    ],
)
def test_a_service_accounts_name(username: str, account: tuple[str, str] | None) -> None:
    assert service_account(username) == account
