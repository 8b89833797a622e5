"""Dozens of issuers with expressions: koproxy says of a token what a kube-apiserver says that reads
the same file; and a change of the file under load.

koproxy is asked in this process, where it gives reasons, and as a process before a kube-apiserver
that knows no OIDC. The documented refusals are those of `differential/verdicts.py`.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from e2e.differential.blocking import BlockingFetcher
from e2e.differential.cases import Case
from e2e.differential.judge import Judge, Nobody, Person
from e2e.differential.structured import Structured, several, structured_cases
from e2e.differential.verdicts import compare, person
from e2e.running import Koproxy, KoproxyStarter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localcluster.apiserver import ApiServer, start_api_server, wait_until_ready
from localcluster.cluster import CLUSTER_ROLE, write_credential
from localcluster.pki import Authority
from localcluster.processes import Processes, wait_until
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from koproxy.authentication import Authentication
from koproxy.authentication_file import AuthenticationFile
from koproxy.cel.compiling import Compiler
from koproxy.identity.decision import Outcome, Verified
from koproxy.sources.fetch import Fetcher

HEAD = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
EXAMPLES = settings(
    max_examples=int(os.environ.get("DIFFERENTIAL_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
World = dict[str, Structured]
Ask = Callable[[Case], Person | Nobody]
Decide = Callable[[Case], Outcome]


def written(path: Path, entries: list[dict[str, Any]], **more: Any) -> Path:
    """Write a configuration; JSON is YAML."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps({**HEAD, "jwt": entries, **more}))
    return new.replace(path)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """The issuers by what they are about, running."""
    world = {each.name: each for each in several()}
    for each in world.values():
        each.issuer.start()
    yield world
    for each in world.values():
        each.issuer.stop()
        each.issuer.close()


@pytest.fixture(scope="module")
def file(world: World, parts: Processes) -> Path:
    """The configuration of all of them."""
    path = parts.directory / "structured.json"
    return written(path, [each.entry for each in world.values()])


@pytest.fixture(scope="module")
def servers(parts: Processes, authority: Authority, etcd: str, file: Path) -> dict[str, ApiServer]:
    """kube-apiservers: `plain` without OIDC, and one that reads the file."""
    options = {
        "plain": [],
        "structured": ["--anonymous-auth=false", f"--authentication-config={file}"],
    }
    servers = {
        name: start_api_server(
            parts, authority, etcd, name=f"structured-{name}", oidc_flags=flags, wait=False
        )
        for name, flags in options.items()
    }
    for server in servers.values():
        wait_until_ready(server)
    return servers


@pytest.fixture(scope="module")
def ask(world: World, servers: dict[str, ApiServer]) -> Iterator[Ask]:
    """Asks the kube-apiserver that reads the file."""
    judge = Judge(servers["structured"].url, servers["structured"].ca)
    for each in world.values():
        # It begins to look for an issuer's keys when it starts, and tries again after a while.
        wait_until(
            lambda each=each: (
                judge.who(each.token(level=3, groups=["dev"])) != Nobody(401)  # type: ignore[misc]
                or each.name == "groups by splitting"
            ),
            f"{each.name} is known",
        )
    yield lambda case: judge.who(case.authorization)
    judge.close()


@pytest.fixture(scope="module")
def decide(world: World, file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decide]:
    """Asks koproxy in this process."""
    authorities = tmp_path_factory.mktemp("structured") / "issuers.pem"
    authorities.write_text("".join(each.issuer.ca_pem for each in world.values()))
    fetcher = cast(Fetcher, BlockingFetcher(authorities))
    authentication = Authentication([], fetcher, Clock())
    read = AuthenticationFile(str(file), Compiler(), lambda *_: fetcher, authentication)
    read.take(read.read())
    authentication.startService()

    def decide(case: Case) -> Outcome:
        decision = authentication.decide(case.authorization)
        assert not isinstance(decision, Deferred)
        return decision

    yield decide
    authentication.stopService()


@pytest.fixture(scope="module")
def start(
    servers: dict[str, ApiServer], start_koproxy: KoproxyStarter
) -> Callable[[str, Path], Koproxy]:
    """Starts a koproxy with a configuration, before the API server that knows no OIDC."""
    plain = servers["plain"]
    plain.admin("apply", "-f", str(CLUSTER_ROLE))
    directory = Path(plain.admin.kubeconfig).parent
    kubeconfig = write_credential(plain.admin, plain.url, plain.ca, directory)
    return lambda name, file: start_koproxy.with_file(name, kubeconfig, file)


def test_tokens_by_hand(world: World, ask: Ask, decide: Decide) -> None:
    counts: Counter[str] = Counter()
    surprises: dict[str, object] = {}
    for case in structured_cases(world):
        judged = ask(case)
        counts["refused" if isinstance(judged, Nobody) else "accepted"] += 1
        difference = compare(judged, decide(case))
        if difference is None:
            continue
        if difference.refusal is None:
            surprises[f"{case.settings}: {case.name}"] = difference
        else:
            counts[difference.refusal] += 1
    print(f"tokens by hand: {dict(counts)}")  # noqa: T201 - for pytest -s
    assert not surprises
    assert min(counts["accepted"], counts["refused"]) > 300


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from(["", "a", "dev", "a,b", "x@example.com", "system:a", "é"])
    | st.sampled_from([0, 1, 3, 2.5, -1, 2**63, 1e300]),
    lambda deeper: (
        st.lists(deeper, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "country", "postal.code"]), deeper, max_size=2)
    ),
    max_leaves=5,
)
CLAIMS = st.dictionaries(
    st.sampled_from(
        [
            *("sub", "email", "email_verified", "groups", "roles", "tenant", "level", "address"),
            *("upn", "login", "oid", "more", "disabled", "https://example.com/teams", "iat"),
        ]
    ),
    VALUES,
    max_size=4,
)


@EXAMPLES
@given(data=st.data())
def test_any_claims(world: World, ask: Ask, decide: Decide, data: st.DataObject) -> None:
    each = world[data.draw(st.sampled_from(sorted(world)))]
    case = Case("any", each.name, each.token(**data.draw(CLAIMS)))
    difference = compare(ask(case), decide(case))
    assert difference is None or difference.refusal is not None, difference


def test_the_api_server_sees_whom_koproxy_decided_on(
    world: World, file: Path, start: Callable[[str, Path], Koproxy], decide: Decide
) -> None:
    koproxy = start("koproxy-structured", file).wait_until_ready()
    lines = [f"[+]issuer {each.issuer.url} ok" for each in world.values()]
    wait_until(
        lambda: all(line in koproxy.readiness()[1] for line in lines), "all issuers are known"
    )
    judge = Judge(koproxy.url, koproxy.ca)
    surprises: dict[str, object] = {}
    seen = 0
    for case in structured_cases(world):
        expected, said = decide(case), judge.who(case.authorization)
        if isinstance(expected, Verified) and isinstance(said, Person):
            seen += 1
            if said != person(expected):
                surprises[f"{case.settings}: {case.name}"] = (said, expected)
        elif isinstance(expected, Verified) or isinstance(said, Person):
            surprises[f"{case.settings}: {case.name}"] = (said, expected)
    judge.close()
    koproxy.server.stop()
    assert not surprises
    assert seen > 300


def test_who_needs_no_token_is_nobody(
    world: World,
    parts: Processes,
    start: Callable[[str, Path], Koproxy],
) -> None:
    each = next(iter(world.values()))
    anonymous = {"enabled": True, "conditions": [{"path": PATH} for PATH in ("/version", SELF)]}
    path = parts.directory / "anonymous.json"
    file = written(path, [each.entry], anonymous=anonymous)
    koproxy = start("koproxy-anonymous", file).wait_until_ready()
    judge = Judge(koproxy.url, koproxy.ca)
    said = judge.who(b"")
    # RBAC lets nobody make reviews, so the API server itself refuses: it has seen somebody else
    # than the proxy, who may.
    assert said == Nobody(403)
    judge.close()
    for target, status in (("/version", 200), ("/version/", 401), ("/api", 401)):
        with koproxy.client() as client:
            client._connection.request("GET", target)
            assert client._connection.getresponse().status == status
    koproxy.server.stop()


SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ROUNDS = 20


def test_a_change_under_load_loses_no_request_and_mixes_nobody(
    parts: Processes, start: Callable[[str, Path], Koproxy]
) -> None:
    """Two issuers stay; a third one, and everybody's prefix, come and go while people ask."""
    issuers = [Structured(f"issuer {at}", {}) for at in range(3)]
    path = parts.directory / "changing.json"

    def configuration(round_: int) -> Path:
        entries = []
        for at, each in enumerate(issuers[: 2 + round_ % 2]):
            prefix = f"r{round_}i{at}:"
            username = {"username": {"expression": f"'{prefix}' + claims.sub"}}
            entries.append({**each.entry, "claimMappings": username})
        return written(path, entries)

    for each in issuers:
        each.issuer.start()
    koproxy = start("koproxy-changing", configuration(0)).wait_until_ready()
    end = threading.Event()
    answers: list[list[tuple[str, int, Person | Nobody]]] = [[] for _ in range(8)]

    def ask(worker: int) -> None:
        judge = Judge(koproxy.url, koproxy.ca)
        at = worker % 2
        asked = 0
        while not end.is_set():
            asked += 1
            sub = f"p{worker}-{asked // 50}"
            token = issuers[at].token(sub=sub)
            for _ in range(5):
                answers[worker].append((sub, at, judge.who(token)))
        judge.close()

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    log = koproxy.server.log
    for round_ in range(1, ROUNDS + 1):
        before = log.read_text().count("has changed")
        configuration(round_)
        wait_until(lambda b=before: log.read_text().count("has changed") > b, "it is taken up")  # type: ignore[misc]
    path.write_text("jwt: [")
    wait_until(lambda: "[!]rotation" in koproxy.readiness()[1], "a bad one is said")
    ready, lines = koproxy.readiness()
    end.set()
    for thread in threads:
        thread.join()
    koproxy.server.stop()
    for each in issuers:
        each.issuer.stop()
        each.issuer.close()
    assert ready == 200
    assert "changing.json" in lines
    asked = [each for found in answers for each in found]
    lost = [each for each in asked if not isinstance(each[2], Person)]
    assert not lost
    for sub, at, said in asked:
        assert isinstance(said, Person)
        prefix, _, name = said.username.partition(":")
        assert name == sub
        assert prefix.endswith(f"i{at}")
    rounds = {said.username.partition("i")[0] for _, _, said in asked if isinstance(said, Person)}
    assert len(rounds) > ROUNDS // 2
    assert len(asked) > 100 * ROUNDS
    print(f"{len(asked)} requests over {ROUNDS} changes")  # noqa: T201 - for pytest -s
