"""koproxy decides about a token as a kube-apiserver with the same settings does.

Two real kube-apiservers judge: one has flags, one an AuthenticationConfiguration with several
issuers. koproxy is asked in this process, and then as a process before a kube-apiserver that knows
no OIDC. What koproxy refuses and kube-apiserver doesn't is listed, with reasons, in
`differential/verdicts.py`.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, cast

import pytest
from e2e.differential.blocking import BlockingFetcher
from e2e.differential.cases import Case, bearer, cases
from e2e.differential.judge import Judge, Nobody, Person
from e2e.differential.remote import distributed_cases, key_set_cases
from e2e.differential.settings import (
    Settings,
    by_flags,
    several,
    write_authorities,
    write_configuration,
)
from e2e.differential.shapes import shape_cases
from e2e.differential.strategies import headers, identities, payloads, spellings
from e2e.differential.verdicts import ACCEPTED_KEY_SETS, REFUSALS, Difference, compare, person
from e2e.running import KoproxyStarter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localcluster.apiserver import ApiServer, start_api_server, wait_until_ready
from localcluster.cluster import CLUSTER_ROLE, write_credential
from localcluster.dex import Issuer
from localcluster.pki import Authority
from localcluster.processes import Processes, wait_until
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from koproxy.authentication import Authentication
from koproxy.identity.authenticator import Authenticator
from koproxy.identity.decision import Outcome, Unauthenticated, Verified
from koproxy.identity.keys import BadKeySet, read_key_set
from koproxy.sources.fetch import Fetcher

NO_ANONYMOUS = "--anonymous-auth=false"
BEHIND_KOPROXY = ("all", "groups", "flags")
EXAMPLES = settings(
    max_examples=int(os.environ.get("DIFFERENTIAL_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def world() -> Iterator[Mapping[str, Settings]]:
    """The settings by name, each with its issuer running."""
    world = {each.name: each for each in (*several(), by_flags())}
    for each in world.values():
        each.issuer.start()
    yield world
    for each in world.values():
        each.issuer.stop()
        each.issuer.close()


@pytest.fixture(scope="module")
def authorities(world: Mapping[str, Settings], parts: Processes) -> Path:
    """The certificates to trust when issuers are asked."""
    return write_authorities(parts.directory / "issuers.pem", world.values())


@pytest.fixture(scope="module")
def servers(
    world: Mapping[str, Settings],
    authorities: Path,
    parts: Processes,
    authority: Authority,
    etcd: str,
) -> Mapping[str, ApiServer]:
    """kube-apiservers: `plain` without OIDC, `flags` with flags, `file` with all other settings."""
    entries = [each for each in world.values() if each.name != "flags"]
    configuration = write_configuration(
        parts.directory / "authentication.json", entries, authorities
    )
    options = {
        "plain": [],
        "flags": [NO_ANONYMOUS, *world["flags"].flags(authorities)],
        "file": [NO_ANONYMOUS, f"--authentication-config={configuration}"],
    }
    servers = {
        name: start_api_server(
            parts, authority, etcd, name=f"differential-{name}", oidc_flags=flags, wait=False
        )
        for name, flags in options.items()
    }
    for server in servers.values():
        wait_until_ready(server)
    return servers


@pytest.fixture(scope="module")
def ask(
    world: Mapping[str, Settings], servers: Mapping[str, ApiServer]
) -> Iterator[Callable[[Case], Person | Nobody]]:
    """Asks the kube-apiserver that has the settings of a case."""
    judges = {name: Judge(servers[name].url, servers[name].ca) for name in ("flags", "file")}

    def ask(case: Case) -> Person | Nobody:
        return judges["flags" if case.settings == "flags" else "file"].who(case.authorization)

    for name, each in world.items():
        good = Case("good", name, bearer(each.issuer.sign(each.claims())))
        wait_until(lambda case=good: isinstance(ask(case), Person), f"{name} is known")  # type: ignore[misc]
    yield ask
    for judge in judges.values():
        judge.close()


@pytest.fixture(scope="module")
def decide(world: Mapping[str, Settings], authorities: Path) -> Iterator[Callable[[Case], Outcome]]:
    """Asks koproxy in this process, which fetches from the issuers itself."""
    rules = [each.rules() for each in world.values()]
    clock = Clock()
    fetcher = cast(Fetcher, BlockingFetcher(authorities))
    authentication = Authentication(rules, fetcher, clock)
    authentication.startService()
    assert authentication.problem is None

    def decide(case: Case) -> Outcome:
        decision = authentication.decide(case.authorization)
        if not isinstance(decision, Deferred):
            return decision
        decided: list[Outcome] = []
        decision.addCallback(decided.append)
        return decided[0]

    yield decide
    authentication.stopService()


Ask = Callable[[Case], Person | Nobody]
Decide = Callable[[Case], Outcome]


def by_hand(world: Mapping[str, Settings]) -> Iterable[Case]:
    return chain(cases(world), shape_cases(world))


def test_tokens_by_hand(world: Mapping[str, Settings], ask: Ask, decide: Decide) -> None:
    for case in distributed_cases(world):
        if case.name.endswith(("as they should be", "by another issuer")):
            # kube-apiserver begins to look for the keys of these issuers when it is first asked.
            wait_until(lambda each=case: isinstance(ask(each), Person), case.name)  # type: ignore[misc]
    counts: Counter[str] = Counter()
    surprises: dict[str, Difference] = {}
    for case in chain(by_hand(world), distributed_cases(world)):
        judged = ask(case)
        difference = compare(judged, decide(case))
        counts["refused" if isinstance(judged, Nobody) else "accepted"] += 1
        if difference is None:
            continue
        if difference.refusal is None:
            surprises[f"{case.settings}: {case.name}"] = difference
        else:
            counts[difference.refusal] += 1
    print(f"tokens by hand: {dict(counts)}")  # noqa: T201 - for pytest -s
    assert not surprises
    assert set(REFUSALS) <= set(counts), "a documented refusal that is none"
    assert min(counts["accepted"], counts["refused"]) > 500


def test_key_sets(world: Mapping[str, Settings], ask: Ask) -> None:
    settings = world["keys"]
    surprises: dict[str, object] = {}
    accepted: set[str] = set()
    for each in key_set_cases(settings):
        settings.issuer.replaced = each.document
        judged = ask(Case(each.name, "keys", each.authorization))
        document = each.document
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        difference = compare(judged, _with_keys(settings, text, each.authorization))
        if difference is None:
            continue
        if each.name.endswith(ACCEPTED_KEY_SETS) and isinstance(judged, Nobody):
            accepted.add(next(name for name in ACCEPTED_KEY_SETS if each.name.endswith(name)))
        else:
            surprises[each.name] = difference
    settings.issuer.replaced = None
    assert not surprises
    assert accepted == set(ACCEPTED_KEY_SETS)


def _with_keys(settings: Settings, document: bytes, authorization: bytes) -> Outcome:
    """What koproxy says once it has fetched this key set."""
    authenticator = Authenticator([settings.rules()])
    try:
        authenticator.use_keys(settings.issuer.url, read_key_set(document))
    except BadKeySet as problem:
        return Unauthenticated(str(problem))
    decision = authenticator.authenticate(authorization, time.time())
    return decision if isinstance(decision, Outcome) else Unauthenticated("no key verifies it")


@EXAMPLES
@given(data=st.data())
def test_any_claims(
    data: st.DataObject, world: Mapping[str, Settings], ask: Ask, decide: Decide
) -> None:
    each = world[data.draw(st.sampled_from(["sub", "email", "all", "groups", "flags"]))]
    payload = data.draw(payloads(each.claims()))
    _agree(Case("claims", each.name, bearer(each.issuer.sign(payload))), ask, decide)


@EXAMPLES
@given(data=st.data())
def test_any_identity(
    data: st.DataObject, world: Mapping[str, Settings], ask: Ask, decide: Decide
) -> None:
    each = world[data.draw(st.sampled_from(["email-prefix", "all", "groups"]))]
    payload = data.draw(identities(each.claims(), each.username_claim))
    _agree(Case("identity", each.name, bearer(each.issuer.sign(payload))), ask, decide)


@EXAMPLES
@given(data=st.data())
def test_any_header(
    data: st.DataObject, world: Mapping[str, Settings], ask: Ask, decide: Decide
) -> None:
    each = world["sub"]
    header = data.draw(headers({"alg": "RS256", "kid": each.issuer.key().kid}))
    _agree(Case("header", "sub", bearer(each.issuer.sign(each.claims(), header))), ask, decide)


@EXAMPLES
@given(data=st.data())
def test_any_spelling(
    data: st.DataObject, world: Mapping[str, Settings], ask: Ask, decide: Decide
) -> None:
    each = world["sub"]
    alg = data.draw(st.sampled_from(["RS256", "ES256", "PS384", "ES512"]))
    value = data.draw(spellings(each.issuer.sign(each.claims(), alg=alg)))
    _agree(Case("spelling", "sub", value), ask, decide)


def _agree(case: Case, ask: Ask, decide: Decide) -> None:
    difference = compare(ask(case), decide(case))
    assert difference is None or difference.refusal is not None, difference


@pytest.mark.parametrize("name", BEHIND_KOPROXY)
def test_the_api_server_sees_whom_koproxy_decided_on(
    name: str,
    world: Mapping[str, Settings],
    servers: Mapping[str, ApiServer],
    authorities: Path,
    start_koproxy: KoproxyStarter,
    decide: Decide,
) -> None:
    plain = servers["plain"]
    plain.admin("apply", "-f", str(CLUSTER_ROLE))
    kubeconfig = write_credential(
        plain.admin, plain.url, plain.ca, Path(plain.admin.kubeconfig).parent
    )
    each = world[name]
    koproxy = start_koproxy(
        f"koproxy-differential-{name}",
        kubeconfig,
        Issuer(each.issuer.url, authorities),
        flags=each.flags(authorities),
    ).wait_until_ready()
    judge = Judge(koproxy.url, koproxy.ca)
    surprises: dict[str, Any] = {}
    seen = 0
    for case in chain(by_hand(world), distributed_cases(world)):
        if case.settings != name:
            continue
        expected = decide(case)
        said = judge.who(case.authorization)
        if isinstance(expected, Verified) and isinstance(said, Person):
            seen += 1
        if isinstance(said, Person) != isinstance(expected, Verified) or (
            isinstance(said, Person) and isinstance(expected, Verified) and said != person(expected)
        ):
            surprises[case.name] = (said, expected)
    judge.close()
    koproxy.server.stop()
    assert not surprises
    assert seen > 10
