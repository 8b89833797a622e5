"""Claims from elsewhere, and the keys of those who sign them."""

import pytest
from support.signer import Signer
from support.web import Web
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from koproxy.identity.decision import ClaimsNeeded
from koproxy.sources.claims import MAX_ISSUERS, ClaimSources
from koproxy.sources.fetch import FetchError

RULES, OTHER = "https://issuer.example", "https://other.example"
NEED = ClaimsNeeded("https://claims.example/1", "opener", RULES)


class Scene:
    """Claim sources with nothing real around them."""

    def __init__(self) -> None:
        self.web = Web()
        self.other = Web()
        self.used: list[str] = []
        self.dropped: list[str] = []
        self.clock = Clock()
        self.sources = ClaimSources(
            self.web,  # type: ignore[arg-type]
            lambda issuer, keys: not self.used.append(issuer),  # type: ignore[func-returns-value]
            self.dropped.append,
            self.clock,
            {OTHER: self.other},  # type: ignore[dict-item]
        )
        self.sources.startService()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def results(deferred: Deferred[bytes]) -> list[object]:
    found: list[object] = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.value))
    return found


def test_claims_are_fetched_with_their_access_token(scene: Scene) -> None:
    scene.web.has(NEED.endpoint, b"a.b.c")
    assert results(scene.sources.fetch(NEED)) == [b"a.b.c"]
    assert scene.web.tokens == ["opener"]


def test_a_crowd_fetches_once_and_the_next_one_again(scene: Scene) -> None:
    scene.web.has(NEED.endpoint, b"a.b.c")
    scene.web.hold()
    found = [results(scene.sources.fetch(NEED)) for _ in range(10)]
    other = results(scene.sources.fetch(ClaimsNeeded(NEED.endpoint, "another", RULES)))
    assert len(scene.web.asked) == 2
    scene.web.release()
    assert [*found, other] == [[b"a.b.c"]] * 11
    scene.sources.fetch(NEED)
    assert len(scene.web.asked) == 3


def test_a_failure_is_that_of_all_and_not_kept(scene: Scene) -> None:
    for _ in range(2):
        (failure,) = results(scene.sources.fetch(NEED))
        assert isinstance(failure, FetchError)
    assert len(scene.web.asked) == 2


def test_the_end_of_the_service_ends_a_fetch(scene: Scene) -> None:
    scene.web.hold()
    found = results(scene.sources.fetch(NEED))
    scene.sources.stopService()
    assert isinstance(found[0], CancelledError)


def test_an_issuer_is_kept_and_fetched_once(scene: Scene) -> None:
    signer = Signer("https://groups.example")
    scene.web.publish(signer)
    keys = scene.sources.keys_of(signer.url, RULES)
    assert keys is scene.sources.keys_of(signer.url, RULES)
    assert keys.problem is None
    assert scene.used == [signer.url]


def test_the_issuer_that_nobody_needs_gives_way(scene: Scene) -> None:
    names = [f"https://{number}.example" for number in range(MAX_ISSUERS)]
    first = scene.sources.keys_of(names[0], RULES)
    second = scene.sources.keys_of(names[1], RULES)
    for name in names[2:]:
        scene.sources.keys_of(name, RULES)
    scene.sources.keys_of(names[0], RULES)
    assert scene.dropped == []
    scene.sources.keys_of("https://one.more.example", RULES)
    assert scene.dropped == [names[1]]
    assert first.running
    assert not second.running
    scene.sources.stopService()
    assert scene.clock.getDelayedCalls() == []


def test_an_issuer_with_a_fetcher_of_its_own_is_asked_by_it(scene: Scene) -> None:
    scene.other.has(NEED.endpoint, b"theirs")
    scene.web.has(NEED.endpoint, b"ours")
    theirs = ClaimsNeeded(NEED.endpoint, NEED.access_token, OTHER)
    assert results(scene.sources.fetch(theirs)) == [b"theirs"]
    assert results(scene.sources.fetch(NEED)) == [b"ours"]
    scene.sources.keys_of("https://signer.example", OTHER)
    assert scene.other.asked[-1].startswith("https://signer.example")
