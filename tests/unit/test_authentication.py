"""Decisions for which something is fetched, without a network."""

from typing import Any

import pytest
from support.reviews import Asked
from support.signer import CLIENT, NOW, URL, Signer
from support.web import Web
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from koproxy.authentication import Authentication
from koproxy.identity.added import Added
from koproxy.identity.anonymous import Anonymous
from koproxy.identity.decision import Forbidden, Outcome, Unauthenticated, Unavailable, Verified
from koproxy.identity.issuer import Issuer
from koproxy.identity.user import Identity
from koproxy.passthrough import Passthrough
from koproxy.sources.answers import AT_A_TIME, MOST_WAITING
from koproxy.sources.fetch import FetchError
from koproxy.sources.issuer import ON_DEMAND
from koproxy.sources.token_reviews import GOOD_SECONDS, TokenReviews

SIGNER = Signer()
NEW = Signer(number=1)
RULES = Issuer(URL, frozenset({CLIENT}), groups_claim="groups")
ENDPOINT = "https://claims.example/groups"


class Scene:
    """An Authentication with nothing real around it."""

    def __init__(self, *, published: bool = True) -> None:
        self.web = Web()
        self.clock = Clock()
        self.now = NOW
        self.authentication = Authentication(
            [RULES],
            self.web,  # type: ignore[arg-type]
            self.clock,
            now=lambda: self.now,
        )
        if published:
            self.web.publish(SIGNER)
        self.authentication.startService()
        self.clock.advance(ON_DEMAND[0])

    def at_once(self, value: bytes) -> Outcome:
        """A decision that needs nothing fetched."""
        decision = self.authentication.decide(value)
        assert not isinstance(decision, Deferred)
        return decision

    def later(self, value: bytes) -> list[Outcome]:
        """A decision for which something is fetched: empty until it is there."""
        decision = self.authentication.decide(value)
        assert isinstance(decision, Deferred)
        found: list[Outcome] = []
        decision.addCallback(found.append)
        return found


@pytest.fixture
def scene() -> Scene:
    return Scene()


def elsewhere(endpoint: str = ENDPOINT) -> bytes:
    return SIGNER.bearer(
        _claim_names={"groups": "s"},
        _claim_sources={"s": {"endpoint": endpoint, "access_token": "opener"}},
    )


def test_a_token_of_a_known_key_is_decided_at_once(scene: Scene) -> None:
    decision = scene.at_once(SIGNER.bearer())
    assert isinstance(decision, Verified)
    assert scene.at_once(SIGNER.bearer()) is decision
    scene.now = NOW + 3601
    assert isinstance(scene.at_once(SIGNER.bearer()), Unauthenticated)


def test_without_keys_nothing_can_be_decided_but_nonsense_is_refused() -> None:
    scene = Scene(published=False)
    assert scene.authentication.problem is not None
    decision = scene.at_once(SIGNER.bearer())
    assert isinstance(decision, Unavailable)
    assert "connection refused" in decision.message
    assert isinstance(scene.at_once(b""), Unauthenticated)
    assert isinstance(scene.at_once(b"Bearer x"), Unauthenticated)
    scene.web.publish(SIGNER)
    scene.clock.pump([1] * 20)
    assert scene.authentication.problem is None
    assert isinstance(scene.at_once(SIGNER.bearer()), Verified)


def test_a_new_key_is_fetched_for_the_token_that_names_it(scene: Scene) -> None:
    scene.at_once(SIGNER.bearer())
    scene.web.publish(NEW)
    scene.web.hold()
    waiting = [scene.later(NEW.bearer()) for _ in range(5)]
    assert waiting == [[]] * 5
    asked = len(scene.web.asked)
    scene.web.release()
    assert len(scene.web.asked) == asked
    assert all(isinstance(decision, Verified) for (decision,) in waiting)
    # The withdrawn key verifies nothing any more, though its token was known.
    assert isinstance(scene.at_once(SIGNER.bearer()), Unauthenticated)


def test_a_key_that_nobody_publishes_is_refused(scene: Scene) -> None:
    (decision,) = scene.later(NEW.bearer())
    assert decision == Unauthenticated(
        "the bearer token is not accepted: the issuer has no key of the name that it gives",
        URL,
    )
    asked = len(scene.web.asked)
    for _ in range(100):
        assert isinstance(scene.at_once(NEW.bearer()), Unauthenticated)
    assert len(scene.web.asked) == asked


def test_one_token_makes_an_issuer_look_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koproxy.sources.issuer.ON_DEMAND", (0.0, 0.0))
    asked = len(scene.web.asked)
    (decision,) = scene.later(NEW.bearer())
    assert isinstance(decision, Unauthenticated)
    assert len(scene.web.asked) == asked + 1


def test_known_tokens_are_decided_while_keys_are_fetched(scene: Scene) -> None:
    scene.web.hold()
    waiting = scene.later(NEW.bearer())
    assert isinstance(scene.at_once(SIGNER.bearer()), Verified)
    assert waiting == []


def test_an_issuer_that_is_away_refuses_unknown_keys_alone(scene: Scene) -> None:
    scene.web.down()
    (decision,) = scene.later(NEW.bearer())
    assert isinstance(decision, Unauthenticated)
    assert isinstance(scene.at_once(SIGNER.bearer()), Verified)
    assert scene.authentication.problem is None


def test_groups_elsewhere_are_fetched_and_kept_for_a_moment(scene: Scene) -> None:
    scene.web.has(ENDPOINT, SIGNER.sign(SIGNER.claims(groups=["far"])))
    (decision,) = scene.later(elsewhere())
    assert isinstance(decision, Verified)
    assert decision.identity.groups == ("far",)
    assert scene.at_once(elsewhere()) is decision
    scene.now += 11
    scene.web.has(ENDPOINT, SIGNER.sign(SIGNER.claims(groups=["near"])))
    (decision,) = scene.later(elsewhere())
    assert isinstance(decision, Verified)
    assert decision.identity.groups == ("near",)


def test_groups_of_another_issuer_need_its_keys_as_well(scene: Scene) -> None:
    other = Signer("https://groups.example", number=1)
    scene.web.publish(other)
    scene.web.has(ENDPOINT, other.sign(other.claims(groups=["far"])))
    scene.web.hold()
    waiting = scene.later(elsewhere())
    for _ in range(3):  # the claims, the discovery document, the key set
        assert waiting == []
        scene.web.step()
    assert isinstance(waiting[0], Verified)


def test_groups_of_an_issuer_with_new_keys_are_looked_at_once_more(scene: Scene) -> None:
    other = Signer("https://groups.example")
    scene.web.publish(other)
    scene.web.has(ENDPOINT, other.sign(other.claims(groups=["far"])))
    assert isinstance(scene.later(elsewhere())[0], Verified)
    scene.clock.advance(ON_DEMAND[0])
    scene.now += 11
    renewed = Signer("https://groups.example", number=1)
    scene.web.publish(renewed)
    scene.web.has(ENDPOINT, renewed.sign(renewed.claims(groups=["near"])))
    (decision,) = scene.later(elsewhere())
    assert isinstance(decision, Verified)
    assert decision.identity.groups == ("near",)


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense", SIGNER.sign(SIGNER.claims()), NEW.sign(NEW.claims(groups=["far"]))],
)
def test_groups_that_are_none_refuse_the_token(scene: Scene, answer: bytes) -> None:
    scene.web.has(ENDPOINT, answer)
    (decision,) = scene.later(elsewhere())
    assert isinstance(decision, Unauthenticated)


def test_groups_that_can_not_be_had_leave_it_undecided(scene: Scene) -> None:
    scene.web.has(ENDPOINT, FetchError("it answered with status 500"))
    (decision,) = scene.later(elsewhere())
    assert isinstance(decision, Unavailable)
    assert "status 500" in decision.message
    assert "opener" not in decision.message
    lost = Signer("https://lost.example")
    scene.web.has(ENDPOINT, lost.sign(lost.claims(groups=["far"])))
    for _ in range(2):
        (decision,) = scene.later(elsewhere())
        assert isinstance(decision, Unavailable)
        assert "lost.example" in decision.message


def test_who_hangs_up_does_not_end_it_for_the_others(scene: Scene) -> None:
    scene.web.publish(NEW)
    scene.web.hold()
    gone = scene.authentication.decide(NEW.bearer())
    assert isinstance(gone, Deferred)
    stays = scene.later(NEW.bearer())
    gone.addErrback(lambda failure: failure.trap(CancelledError))
    gone.cancel()
    scene.web.release()
    assert isinstance(stays[0], Verified)


def test_the_end_leaves_nothing_behind(scene: Scene) -> None:
    scene.web.hold()
    scene.later(NEW.bearer())
    scene.authentication.stopService()
    assert scene.clock.getDelayedCalls() == []


# Several issuers


OTHER = Signer("https://other.example", number=1)


@pytest.mark.parametrize("require_all", [False, True])
def test_an_issuer_that_is_down_holds_up_nobody_else(require_all: bool) -> None:
    web, far, clock = Web(), Web(), Clock()
    authentication = Authentication(
        [RULES, Issuer(OTHER.url, frozenset({CLIENT}))],
        web,  # type: ignore[arg-type]
        clock,
        fetchers={OTHER.url: far},  # type: ignore[dict-item]
        require_all=require_all,
        now=lambda: NOW,
    )
    web.publish(SIGNER)
    authentication.startService()
    assert isinstance(authentication.decide(SIGNER.bearer()), Verified)
    assert isinstance(authentication.decide(OTHER.bearer()), Unavailable)
    assert list(authentication.problems) == [URL, OTHER.url]
    assert authentication.problems[URL] is None
    assert (authentication.problem is not None) is require_all
    far.publish(OTHER)
    clock.advance(2)
    assert isinstance(authentication.decide(OTHER.bearer()), Verified)
    assert authentication.problem is None
    assert not [each for each in web.asked if OTHER.url in each]
    authentication.stopService()


def test_where_no_issuer_is_up_nobody_is_ready_and_without_any_there_is_no_problem() -> None:
    clock, web = Clock(), Web()
    both = [RULES, Issuer(OTHER.url, frozenset({CLIENT}))]
    down = Authentication(both, web, clock)  # type: ignore[arg-type]
    down.startService()
    assert down.problem is not None
    down.stopService()
    assert Authentication([], web, clock).problem is None  # type: ignore[arg-type]


def test_a_change_of_issuers_holds_from_the_next_token_on() -> None:
    web, clock = Web(), Clock()
    authentication = Authentication([RULES], web, clock, now=lambda: NOW)  # type: ignore[arg-type]
    web.publish(SIGNER)
    web.publish(OTHER)
    authentication.startService()
    first = authentication.decide(SIGNER.bearer())
    assert isinstance(first, Verified)
    asked = len(web.asked)

    # The same issuer by other rules, and one more.
    changed = Issuer(URL, frozenset({CLIENT}), username_prefix="new:")
    authentication.use([changed, Issuer(OTHER.url, frozenset({CLIENT}))], {})
    assert authentication.known(SIGNER.bearer()) is None
    second = authentication.decide(SIGNER.bearer())
    assert isinstance(second, Verified)
    assert second.identity.username == "new:" + first.identity.username
    assert isinstance(authentication.decide(OTHER.bearer()), Verified)
    assert [each for each in web.asked[asked:] if each.startswith(URL)] == []  # its keys are kept

    # An issuer that is gone verifies nothing, and one that is found elsewhere is found anew.
    elsewhere = "https://elsewhere.example/discovery"
    authentication.use([Issuer(URL, frozenset({CLIENT}), discovery_url=elsewhere)], {})
    assert isinstance(authentication.decide(OTHER.bearer()), Unauthenticated)
    assert isinstance(authentication.decide(SIGNER.bearer()), Unavailable)
    web.has(elsewhere, {"issuer": URL, "jwks_uri": f"{URL}/keys"})
    clock.advance(2)
    assert isinstance(authentication.decide(SIGNER.bearer()), Verified)

    # Other trust is another way to find it.
    far = Web()
    authentication.use(
        [Issuer(URL, frozenset({CLIENT}), discovery_url=elsewhere)],
        {URL: far},  # type: ignore[dict-item]
    )
    assert isinstance(authentication.decide(SIGNER.bearer()), Unavailable)
    assert far.asked == [elsewhere]
    authentication.stopService()


ROBOT = {"username": "system:serviceaccount:a:b"}


class Passing(Scene):
    """An Authentication that passes on what the API server knows: the token ``robot``."""

    def __init__(self, *, published: bool = True, hold: bool = False) -> None:
        super().__init__(published=published)
        self.known = {"robot"}
        self.asked = Asked(self._answer, hold=hold)
        reviews = TokenReviews(self.asked.call, (), self.clock)
        self.authentication.pass_through(Passthrough(reviews, self.clock))

    def _answer(self, spec: dict[str, Any]) -> dict[str, Any]:
        return {"authenticated": True, "user": ROBOT} if spec["token"] in self.known else {}

    @property
    def tokens(self) -> list[str]:
        """What the API server was asked about."""
        return [spec["token"] for spec in self.asked.specs]


def test_a_token_of_nobody_is_passed_on_if_the_api_server_knows_it() -> None:
    scene = Passing()
    passed = scene.later(b"Bearer robot")[0]
    assert passed == Verified(
        b"", Identity(ROBOT["username"]), float("inf"), credential=b"Bearer robot"
    )
    assert isinstance(passed, Verified)
    assert passed.ends == float("inf")
    assert scene.authentication.known(b"Bearer robot") == passed
    assert scene.at_once(b"bearer robot") == passed
    scene.clock.advance(GOOD_SECONDS)
    assert scene.authentication.known(b"Bearer robot") is None
    scene.known.clear()
    assert isinstance(scene.later(b"Bearer robot")[0], Unauthenticated)
    assert scene.tokens == ["robot", "robot"]


def test_an_issuers_token_is_nobody_elses_business() -> None:
    scene = Passing()
    assert isinstance(scene.at_once(SIGNER.bearer()), Verified)
    assert isinstance(scene.at_once(SIGNER.bearer(sub="system:admin")), Forbidden)
    assert scene.authentication.known(SIGNER.bearer()) is not None
    assert scene.at_once(b"") == Unauthenticated("the request has no bearer token")
    assert scene.at_once(b"Basic x") == Unauthenticated("the request has no bearer token")
    assert scene.tokens == []


def test_a_token_that_the_api_server_does_not_know_is_refused_as_ever() -> None:
    scene = Passing()
    expired = SIGNER.bearer(exp=int(NOW) - 1)
    refused = scene.later(expired)[0]
    assert isinstance(refused, Unauthenticated)
    assert refused.reason.endswith("it has expired")
    assert refused.issuer == URL
    assert scene.at_once(expired) == refused
    assert len(scene.tokens) == 1


def test_a_token_is_reviewed_only_once_no_key_was_found_for_it() -> None:
    scene = Passing()
    found = scene.later(NEW.bearer())
    assert isinstance(found[0], Unauthenticated)
    assert scene.tokens == [NEW.bearer()[7:].decode()]
    early = Passing(published=False)
    assert isinstance(early.at_once(SIGNER.bearer()), Unavailable)
    assert early.tokens == []


def test_many_who_send_the_same_token_share_a_review() -> None:
    scene = Passing(hold=True)
    found = [scene.later(b"Bearer robot") for _ in range(3)]
    assert scene.tokens == ["robot"]
    scene.asked.release()
    assert all(isinstance(each[0], Verified) for each in found)


def test_no_flood_of_nonsense_keeps_a_known_token_waiting() -> None:
    scene = Passing()
    scene.later(b"Bearer robot")
    scene.clock.advance(GOOD_SECONDS)
    scene.asked.hold = True
    nonsense = [scene.later(b"Bearer %d" % number) for number in range(AT_A_TIME + MOST_WAITING)]
    assert len(scene.asked.held) == AT_A_TIME
    assert isinstance(scene.at_once(b"Bearer another"), Unavailable)
    passed = scene.later(b"Bearer robot")
    assert len(scene.asked.held) == AT_A_TIME + 1
    scene.asked.release()
    assert isinstance(passed[0], Verified)
    assert nonsense[-1] == []
    while scene.asked.held:
        scene.asked.release()
    assert isinstance(nonsense[-1][0], Unauthenticated)


@pytest.mark.parametrize("code", [401, 403, 500])
def test_without_a_review_nothing_is_known(code: int) -> None:
    scene = Passing()
    scene.asked.status = code
    outcome = scene.later(b"Bearer robot")[0]
    assert isinstance(outcome, Unavailable)
    assert "robot" not in outcome.message


def test_a_review_that_never_comes() -> None:
    scene = Passing(hold=True)
    found = scene.later(b"Bearer robot")
    scene.clock.advance(10)
    assert isinstance(found[0], Unavailable)


def test_who_goes_waits_for_no_review() -> None:
    scene = Passing(hold=True)
    waiting = scene.authentication.decide(b"Bearer robot")
    assert isinstance(waiting, Deferred)
    ended: list[Failure] = []
    waiting.addErrback(ended.append)
    waiting.cancel()
    assert ended[0].check(CancelledError)


@pytest.mark.parametrize(("impersonate", "credential"), [(True, None), (False, b"")])
def test_nobody_is_passed_on_as_nobody(impersonate: bool, credential: bytes | None) -> None:
    web = Web()
    made = Authentication([RULES], web, Clock(), impersonate=impersonate)  # type: ignore[arg-type]
    assert made.anonymous(b"/livez") is None
    made.use([RULES], {}, Anonymous(enabled=True, paths=["/livez"]))
    nobody = made.anonymous(b"/livez")
    assert nobody is not None
    assert nobody.credential == credential
    assert bool(nobody.headers) is impersonate
    assert made.anonymous(b"/api") is None


def test_the_keys_that_are_added_are_needed_too() -> None:
    added = Added((("zone", ("a",)),), client_ip=True)
    made = Authentication([RULES], Web(), Clock(), added=added)  # type: ignore[arg-type]
    assert made.extra_keys == ("zone", "remote-client-ip")
