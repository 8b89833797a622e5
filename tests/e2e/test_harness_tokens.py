"""A real kube-apiserver that trusts the harness's issuer: it takes its tokens, and no wrong one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from e2e.differential.judge import EVERYBODY, Judge, Nobody, Person
from koproxy_harness import ALGORITHMS, WRONG, Issuer
from localcluster.apiserver import ApiServer, start_api_server, start_etcd
from localcluster.pki import Authority
from localcluster.processes import Processes, wait_until

KUBERNETES_TAKES = tuple(each for each in ALGORITHMS if each != "EdDSA")
JANE = Person("jane", ("dev", "ops", EVERYBODY))


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An issuer with a path, as realms and tenants have one."""
    with Issuer(path="/realms/test") as issuer:
        yield issuer


@pytest.fixture(scope="module")
def server(issuer: Issuer, parts: Processes, authority: Authority) -> ApiServer:
    """A kube-apiserver that discovers the issuer's keys by itself."""
    return start_api_server(
        parts,
        authority,
        start_etcd(parts),
        name="trusts-the-harness",
        oidc_flags=[
            "--anonymous-auth=false",
            f"--oidc-issuer-url={issuer.url}",
            f"--oidc-ca-file={issuer.ca_file}",
            "--oidc-client-id=kubernetes",
            "--oidc-username-claim=sub",
            "--oidc-username-prefix=-",
            "--oidc-groups-claim=groups",
            f"--oidc-signing-algs={','.join(KUBERNETES_TAKES)}",
        ],
    )


@pytest.fixture
def judge(server: ApiServer, issuer: Issuer) -> Iterator[Judge]:
    """Asks it who somebody is; it takes some time after it is ready to have the keys."""
    judge = Judge(server.url, server.ca)
    wait_until(
        lambda: judge.who(bearer(issuer.token())) != Nobody(401), "kube-apiserver has the keys"
    )
    yield judge
    judge.close()


def bearer(token: str) -> bytes:
    return f"Bearer {token}".encode()


@pytest.mark.parametrize("alg", KUBERNETES_TAKES)
def test_a_token_is_taken(judge: Judge, issuer: Issuer, alg: str) -> None:
    assert judge.who(bearer(issuer.token(groups=["dev", "ops"], alg=alg))) == JANE


@pytest.mark.parametrize("wrong", [*WRONG, "missing-sub", "mistyped-sub", "mistyped-groups"])
def test_a_wrong_token_is_not(judge: Judge, issuer: Issuer, wrong: str) -> None:
    assert judge.who(bearer(issuer.token(wrong=wrong))) == Nobody(401)


def test_the_clock_is_what_its_tokens_go_by(judge: Judge, issuer: Issuer) -> None:
    issuer.clock.move(-3600)
    assert judge.who(bearer(issuer.token(lifetime=60))) == Nobody(401)
    issuer.clock.reset()
    assert judge.who(bearer(issuer.token(lifetime=60, groups=["dev", "ops"]))) == JANE


def test_claims_that_are_elsewhere_are_fetched(judge: Judge, issuer: Issuer) -> None:
    url = issuer.claims_endpoint("opener", groups=["dev", "ops"])
    token = issuer.token(
        groups=None,
        _claim_names={"groups": "far"},
        _claim_sources={"far": {"endpoint": url, "access_token": "opener"}},
    )
    wait_until(lambda: judge.who(bearer(token)) == JANE, "the claims' issuer is known")


def test_new_keys_are_fetched_and_old_ones_forgotten(judge: Judge, issuer: Issuer) -> None:
    # An answer about a token is kept for some seconds, so each is shown once.
    old, unseen = issuer.token(), issuer.token(jti="unseen")
    issuer.rotate_keys(keep_old=True)
    assert judge.who(bearer(issuer.token(groups=["dev", "ops"]))) == JANE
    assert judge.who(bearer(old)) == Person("jane", ("dev", EVERYBODY))
    issuer.rotate_keys()
    assert judge.who(bearer(issuer.token(groups=["dev", "ops"]))) == JANE
    assert judge.who(bearer(unseen)) == Nobody(401)
