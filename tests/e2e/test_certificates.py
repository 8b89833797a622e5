"""Clients' certificates and servers' are chosen by koproxy as kube-apiserver does.

Kubernetes' own code judges, without a server around it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from localcluster.authenticator import Authenticator, Judged
from support.certificate_cases import BOTH, OURS
from support.certificates import CN, SERVER, Issued, Part, root

from koproxy.identity.certificate import Certificates
from koproxy.identity.decision import Outcome, Unauthenticated, Verified
from koproxy.serving.names import ServerNames

ROOT = root("servers")


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authenticator]:
    authenticator = Authenticator(Path(tmp_path_factory.mktemp("judge")) / "log")
    yield authenticator
    authenticator.close()


def koproxys(authorities: list[Issued], issued: Issued) -> Outcome | None:
    certificates = Certificates()
    certificates.use_authorities([each.certificate for each in authorities])
    return certificates.decide(issued.der, time.time())


def kubernetes(judge: Authenticator, authorities: list[Issued], issued: Issued) -> Judged:
    said = judge.ask_whom(b"".join(each.pem for each in authorities), issued.der)
    assert not said.wrong
    assert not said.panic
    return said


@pytest.mark.parametrize("case", BOTH)
def test_whom_a_certificate_names(judge: Authenticator, case: str) -> None:
    outcome, said = koproxys(*BOTH[case]), kubernetes(judge, *BOTH[case])
    if isinstance(outcome, Verified):
        identity = outcome.identity
        assert said == Judged(
            username=identity.username,
            uid=identity.uid,
            groups=list(identity.groups),
            extra={key: list(values) for key, values in identity.extra},
        )
    elif outcome is None:
        assert said == Judged()
    else:
        assert isinstance(outcome, Unauthenticated)
        assert said.refused


@pytest.mark.parametrize("case", OURS)
def test_whom_kubernetes_alone_knows(judge: Authenticator, case: str) -> None:
    assert isinstance(koproxys(*OURS[case]), Unauthenticated)
    assert kubernetes(judge, *OURS[case]).username


def server(*names: str, common_name: str = "") -> Issued:
    parts: list[Part] = [(CN, common_name)] if common_name else []
    return ROOT.issue(*parts, usages=(SERVER,), names=names)


ROWS: dict[str, list[tuple[Issued, tuple[str, ...]]]] = {
    "one": [(server("default.example"), ())],
    "patterns": [
        (server("default.example", "*.both.example"), ()),
        (server("aside.example"), ("asked.example", "*.wild.example", "192.0.2.1", "::1")),
        (server("x.both.example"), ("asked.example", "x.wild.example", "*", "*.deep.x.example")),
    ],
    "own names": [
        (server("default.example"), ()),
        (server("own.example", "*.own.example", common_name="common.example"), ()),
        (server("own.example", "later.example", common_name="Jane Doe"), ()),
        (server("star.example", common_name="*"), ()),
        (server("127.0.0.1", common_name="127.0.0.1"), ()),
        (server("aside.example"), ("own.example",)),
    ],
    "a common name alone": [
        (server(common_name="default.example"), ()),
        (server(common_name="*.common.example"), ()),
    ],
}
NAMES = [
    *("default.example", "nobody.example", "a.both.example", "x.both.example", "aside.example"),
    *("asked.example", "a.wild.example", "x.wild.example", "a.b.wild.example", "single"),
    *("a.deep.x.example", "own.example", "OWN.example", "a.own.example", "b.a.own.example"),
    *("common.example", "a.common.example", "later.example", "star.example", "jane doe"),
]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", NAMES)
def test_which_certificate_a_name_gets(judge: Authenticator, row: str, name: str) -> None:
    assert chosen(row).find(name) == asked(judge, row, name, "192.0.2.9")


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("address", ["192.0.2.1", "::1", "127.0.0.1", "192.0.2.9"])
def test_which_certificate_an_address_gets(judge: Authenticator, row: str, address: str) -> None:
    assert chosen(row).find_address(address) == asked(judge, row, "", address)


def chosen(row: str) -> ServerNames:
    pairs = ROWS[row]
    return ServerNames([names for _, names in pairs], [each.certificate for each, _ in pairs])


def asked(judge: Authenticator, row: str, name: str, address: str) -> int:
    pairs = [(issued.pem, issued.key_pem, names) for issued, names in ROWS[row]]
    said = judge.ask_which(pairs, name, address)
    assert said == Judged(place=said.place)
    return said.place
