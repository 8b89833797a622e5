"""What the proxy adds to everybody's extra fields, and that nobody else can say it."""

import json

import pytest

from koproxy.errors import ConfigurationError
from koproxy.identity.added import CLIENT_IP, Added, fixed_fields
from koproxy.identity.impersonation import (
    NotCarried,
    client_ip_line,
    impersonation_headers,
    own_headers,
    reviewed_headers,
)
from koproxy.identity.user import Identity


def test_fixed_fields_come_after_the_tokens_own() -> None:
    added = Added(fixed_fields(["Key1=foo", "key2=bar", "key1=a=b"]))
    assert impersonation_headers(Identity("jane", extra=(("team", ("x",)),)), added=added) == (
        b"Impersonate-User: jane\r\n"
        b"Impersonate-Extra-team: x\r\n"
        b"Impersonate-Extra-key1: foo\r\n"
        b"Impersonate-Extra-key1: a=b\r\n"
        b"Impersonate-Extra-key2: bar\r\n"
    )
    assert added.keys == ("key1", "key2")


@pytest.mark.parametrize("pair", ["key", "=value", "", "Remote-Client-IP=1.2.3.4"])
def test_what_is_no_fixed_field_is_said(pair: str) -> None:
    with pytest.raises(ConfigurationError, match="--extra-user-headers"):
        fixed_fields(["good=x", pair])
    with pytest.raises(ConfigurationError):
        fixed_fields(["originaluser.jetstack.io-user=root"])


@pytest.mark.parametrize("key", ["remote-client-ip", "Remote-Client-IP", "fixed"])
def test_a_token_can_not_say_what_the_proxy_says(key: str) -> None:
    added = Added((("fixed", ("x",)),), client_ip=True)
    forged = Identity("jane", extra=((key, ("192.0.2.1",)),))
    with pytest.raises(NotCarried, match="the proxy's to give"):
        impersonation_headers(forged, added=added)
    with pytest.raises(NotCarried, match="the proxy's to give"):
        reviewed_headers(forged, Identity("max"), added=added)
    assert impersonation_headers(forged)


def test_a_clients_address_is_a_line() -> None:
    line = client_ip_line(b"192.0.2.7")
    assert line == b"Impersonate-Extra-remote-client-ip: 192.0.2.7\r\n"
    assert client_ip_line(b"fe80::1%eth0").endswith(b" fe80::1%eth0\r\n")
    assert Added(client_ip=True).keys == (CLIENT_IP,)


@pytest.mark.parametrize("address", [b"", b"a\r\nb", b"1.2.3.4 ", b"1.2.3.4, 5", b"\xff"])
def test_what_is_no_address_makes_no_line(address: bytes) -> None:
    with pytest.raises(ValueError, match="no IP address"):
        client_ip_line(address)


def test_who_takes_on_another_identity_is_named() -> None:
    original = Identity("max", "7", ("dev", "ops"), (("b", ("<1>", "\xe4")), ("a", ("2",))))
    added = Added((("fixed", ("x",)),), original=True)
    assert (
        reviewed_headers(Identity("system:node:n", groups=("g",)), original, added=added)
        == (
            "Impersonate-User: system:node:n\r\n"
            "Impersonate-Group: g\r\n"
            "Impersonate-Extra-fixed: x\r\n"
            "Impersonate-Extra-originaluser.jetstack.io-user: max\r\n"
            "Impersonate-Extra-originaluser.jetstack.io-groups: dev\r\n"
            "Impersonate-Extra-originaluser.jetstack.io-groups: ops\r\n"
            "Impersonate-Extra-originaluser.jetstack.io-uid: 7\r\n"
            'Impersonate-Extra-originaluser.jetstack.io-extra: {"a":["2"],'
            '"b":["\\u003c1\\u003e","\xe4"]}\r\n'
        ).encode()
    )
    assert json.loads('{"b":["\\u003c1\\u003e"]}') == {"b": ["<1>"]}


def test_only_what_there_is_of_somebody_is_named() -> None:
    block = reviewed_headers(Identity("jane"), Identity("max"), added=Added(original=True))
    assert block.count(b"originaluser") == 1
    assert own_headers(Identity("jane")) == b"Impersonate-User: jane\r\n"


@pytest.mark.parametrize("part", ["user", "groups", "uid", "extra"])
def test_nobody_can_say_who_somebody_was(part: str) -> None:
    added = Added(original=True)
    key = f"originaluser.jetstack.io-{part}"
    for write in (
        lambda forged: impersonation_headers(forged, added=added),
        lambda forged: reviewed_headers(forged, Identity("max"), added=added),
    ):
        with pytest.raises(NotCarried, match="the proxy's to give"):
            write(Identity("jane", extra=((key, ("root",)),)))
    assert key in added.keys
