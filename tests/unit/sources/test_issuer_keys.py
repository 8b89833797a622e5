"""An issuer's keys, fetched and kept fresh on a clock that the test turns."""

import json

import pytest
from support.signer import URL, Signer
from support.web import Web
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from koproxy.identity.keys import KeySet
from koproxy.sources.fetch import FetchError
from koproxy.sources.issuer import JITTER, ON_DEMAND, REFRESH, RETRIES, IssuerKeys

SIGNER = Signer()
DISCOVERY = f"{URL}/.well-known/openid-configuration"
KEYS = f"{URL}/keys"


class Scene:
    """An issuer's keys with nothing real around them."""

    def __init__(self) -> None:
        self.web = Web()
        self.clock = Clock()
        self.used: list[KeySet] = []
        self.keys = IssuerKeys(URL, self.web.get, self.use, self.clock)

    def use(self, keys: KeySet) -> bool:
        new = not self.used or self.used[-1] != keys
        self.used.append(keys)
        return new

    def pass_(self, seconds: float) -> None:
        """Let time pass in small steps, so that whatever is due comes in turn."""
        while seconds > 0:
            step = min(seconds, 0.125)
            self.clock.advance(step)
            seconds -= step


@pytest.fixture
def scene() -> Scene:
    return Scene()


def fired(deferred: object) -> list[object]:
    found: list[object] = []
    deferred.addBoth(found.append)  # type: ignore[attr-defined]
    return found


def test_keys_are_there_after_discovery(scene: Scene) -> None:
    scene.web.publish(SIGNER)
    assert scene.keys.problem is not None
    scene.keys.startService()
    assert scene.keys.problem is None
    assert scene.used == [SIGNER.keys]
    assert scene.web.asked == [DISCOVERY, KEYS]


def test_a_slash_at_the_end_of_the_url_does_not_count_for_discovery(scene: Scene) -> None:
    keys = IssuerKeys(URL + "/", scene.web.get, scene.use, scene.clock)
    scene.web.has(DISCOVERY, {"issuer": URL + "/", "jwks_uri": KEYS})
    scene.web.has(KEYS, SIGNER.document)
    keys.startService()
    assert keys.problem is None


def test_discovery_may_be_elsewhere_and_still_names_the_issuer(scene: Scene) -> None:
    elsewhere = "https://internal/discovery"
    keys = IssuerKeys(URL, scene.web.get, scene.use, scene.clock, discovery_url=elsewhere)
    scene.web.has(elsewhere, {"issuer": elsewhere, "jwks_uri": KEYS})
    scene.web.has(KEYS, SIGNER.document)
    keys.startService()
    assert keys.problem is not None
    assert "it names another issuer" in keys.problem
    scene.web.has(elsewhere, {"issuer": URL, "jwks_uri": KEYS})
    scene.clock.advance(2)
    assert keys.problem is None
    assert scene.web.asked == [elsewhere, elsewhere, KEYS]
    keys.stopService()


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (
            {"issuer": URL + "/", "jwks_uri": KEYS},
            "it names another issuer, 'https://issuer.example/'",
        ),
        ({"jwks_uri": KEYS}, "it names another issuer, or none"),
        ({"issuer": 1, "jwks_uri": KEYS}, "it names another issuer, or none"),
        ({"issuer": URL}, "it names no jwks_uri"),
        ({"issuer": URL, "jwks_uri": 1}, "it names no jwks_uri"),
        (b"<html>", "its answer is no JSON object"),
        (b"[]", "its answer is no JSON object"),
        (FetchError("it answered with status 404"), "it answered with status 404"),
    ],
)
def test_a_discovery_document_that_does_not_fit_is_a_problem(
    scene: Scene, document: object, problem: str
) -> None:
    scene.web.publish(SIGNER)
    scene.web.has(DISCOVERY, document)  # type: ignore[arg-type]
    scene.keys.startService()
    assert scene.keys.problem == f"discovery at {DISCOVERY} failed: {problem}"
    assert scene.used == []


def test_a_key_set_that_can_not_be_used_is_a_problem(scene: Scene) -> None:
    scene.web.publish(SIGNER, b'{"keys":[{"kty":"oct"}]}')
    scene.keys.startService()
    assert scene.keys.problem is not None
    assert scene.keys.problem.startswith(f"the key set at {KEYS} can't be used: ")


def test_an_issuer_that_comes_later_is_found_without_a_restart(scene: Scene) -> None:
    scene.keys.startService()
    assert scene.keys.problem == f"discovery at {DISCOVERY} failed: connection refused"
    scene.pass_(3600)
    asked = len(scene.web.asked)
    assert 3600 / RETRIES[1] * 0.8 < asked < 3600 / RETRIES[1] * 1.3
    scene.web.publish(SIGNER)
    scene.pass_(RETRIES[1] * (1 + JITTER) + 0.1)
    assert scene.keys.problem is None
    assert scene.used == [SIGNER.keys]


def test_the_intervals_between_tries_grow(scene: Scene) -> None:
    scene.keys.startService()
    counts = []
    for _ in range(6):
        before = len(scene.web.asked)
        scene.pass_(8)
        counts.append(len(scene.web.asked) - before)
    assert counts[0] >= 3
    assert counts[-1] <= 1


def test_a_failure_is_said_once_and_then_at_growing_intervals(scene: Scene) -> None:
    with capturedLogs() as events:
        scene.keys.startService()
        scene.pass_(50)
        assert len(events) == 1
        scene.pass_(3600 - 50)
    assert 4 <= len(events) <= 8
    with capturedLogs() as events:
        scene.web.publish(SIGNER)
        scene.pass_(20)
    assert [event["log_level"].name for event in events] == ["info"]


def test_keys_are_looked_at_again_now_and_then(scene: Scene) -> None:
    scene.web.publish(SIGNER)
    scene.keys.startService()
    other = Signer(number=1)
    scene.web.publish(other)
    scene.pass_(REFRESH * (1 + JITTER) + 0.1)
    assert scene.used == [SIGNER.keys, other.keys]
    assert scene.web.asked == [DISCOVERY, KEYS, KEYS]


def test_keys_stay_while_the_issuer_is_away(scene: Scene) -> None:
    scene.web.publish(SIGNER)
    scene.keys.startService()
    scene.web.down()
    scene.pass_(3 * REFRESH)
    assert scene.keys.problem is None
    assert scene.used == [SIGNER.keys]
    scene.web.publish(Signer(number=1))
    scene.pass_(RETRIES[1] * (1 + JITTER) + 0.1)
    assert scene.used[-1] == Signer(number=1).keys
    assert scene.web.asked[-2:] == [DISCOVERY, KEYS]


@pytest.mark.parametrize("tolerance", [60.0, 3600.0])
def test_keys_go_when_the_issuer_is_away_for_longer_than_is_tolerated(
    scene: Scene, tolerance: float
) -> None:
    dropped: list[float] = []
    keys = IssuerKeys(
        URL,
        scene.web.get,
        scene.use,
        scene.clock,
        outage_tolerance=tolerance,
        drop=lambda: dropped.append(scene.clock.seconds()),
    )
    scene.web.publish(SIGNER)
    keys.startService()
    scene.pass_(tolerance - 1)
    assert keys.problem is None
    scene.web.down()
    scene.pass_(tolerance / 4)
    scene.web.publish(SIGNER)
    scene.pass_(tolerance)
    assert keys.problem is None
    assert dropped == []
    last = scene.clock.seconds()
    scene.web.down()
    scene.pass_(2 * tolerance)
    (at,) = dropped
    assert tolerance - REFRESH * (1 + JITTER) <= at - last < tolerance + RETRIES[1] * (1 + JITTER)
    assert keys.problem is not None
    scene.web.publish(SIGNER)
    scene.pass_(RETRIES[1] * (1 + JITTER) + 0.2)
    assert keys.problem is None
    keys.stopService()


def test_a_token_may_cause_a_look_but_not_twice_in_a_moment(scene: Scene) -> None:
    scene.web.publish(SIGNER)
    scene.keys.startService()
    assert not scene.keys.may_refresh()
    assert scene.keys.refresh() is None
    scene.pass_(ON_DEMAND[0])
    other = Signer(number=1)
    scene.web.publish(other)
    looked = scene.keys.refresh()
    assert looked is not None
    assert fired(looked) == [True]
    assert scene.used[-1] == other.keys
    assert scene.keys.refresh() is None


def test_a_flood_of_bad_tokens_costs_the_issuer_little(scene: Scene) -> None:
    scene.web.publish(SIGNER)
    scene.keys.startService()
    before = len(scene.web.asked)
    for _ in range(8 * 60):  # eight a second
        scene.keys.refresh()
        scene.clock.advance(0.125)
    assert len(scene.web.asked) - before <= 60 / ON_DEMAND[1] + 4
    # A new key is still found within the longest interval.
    scene.web.publish(Signer(number=1))
    scene.pass_(ON_DEMAND[1])
    scene.keys.refresh()
    assert scene.used[-1] == Signer(number=1).keys
    scene.pass_(ON_DEMAND[0])
    assert scene.keys.may_refresh()


def test_all_who_want_newer_keys_wait_for_one_look(scene: Scene) -> None:
    scene.web.publish(SIGNER)
    scene.keys.startService()
    scene.pass_(ON_DEMAND[0])
    scene.web.hold()
    waiting = [scene.keys.refresh() for _ in range(100)]
    assert None not in waiting
    assert len(scene.web.asked) == 3
    found = [fired(each) for each in waiting]
    scene.web.release()
    assert found == [[False]] * 100


def test_a_look_that_fails_is_over_for_those_who_wait(scene: Scene) -> None:
    scene.web.publish(SIGNER)
    scene.keys.startService()
    scene.pass_(ON_DEMAND[0])
    scene.web.down()
    assert fired(scene.keys.refresh()) == [False]


def test_nothing_is_fetched_after_the_end(scene: Scene) -> None:
    scene.web.publish(SIGNER)
    scene.keys.startService()
    scene.keys.stopService()
    assert scene.clock.getDelayedCalls() == []
    scene.pass_(ON_DEMAND[1])
    assert scene.keys.refresh() is None


def test_a_fetch_under_way_ends_with_the_service(scene: Scene) -> None:
    scene.web.hold()
    scene.keys.startService()
    waiting = scene.keys.fetching()
    assert waiting is not None
    found = fired(waiting)
    stopped = scene.keys.stopService()
    assert stopped is not None
    assert stopped.called
    assert found == [False]
    assert scene.clock.getDelayedCalls() == []


def test_keys_that_are_left_out_are_named(scene: Scene) -> None:
    document = json.loads(SIGNER.document)
    document["keys"].append({"kty": "oct", "k": "c2VjcmV0"})
    scene.web.publish(SIGNER, json.dumps(document).encode())
    with capturedLogs() as events:
        scene.keys.startService()
    assert len(events) == 1
    assert "is neither RSA nor EC" in events[0]["ignored"]
    assert "c2VjcmV0" not in str(events)
