"""An issuer that starts late, changes its keys and goes away, and an Authentication with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import pytest_twisted
from koproxy_harness import Issuer
from support.trust import issuer_trust
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.web.client import Agent

from koproxy.authentication import Authentication
from koproxy.configuration.flags import issuer_from_flags
from koproxy.identity.decision import Outcome, Unauthenticated, Unavailable, Verified
from koproxy.sources import issuer as timing
from koproxy.sources.fetch import Fetcher


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setattr(timing, "RETRIES", (0.05, 0.1))
    monkeypatch.setattr(timing, "ON_DEMAND", (0.05, 60.0))


async def until(condition: Callable[[], bool]) -> None:
    """Ask again and again; the reactor goes on meanwhile."""
    while not condition():
        turn: Deferred[None] = Deferred()
        reactor.callLater(0.01, turn.callback, None)
        await turn


class Running:
    """An Authentication that asks a real issuer."""

    def __init__(self, issuer: Issuer, **flags: object) -> None:
        rules = issuer_from_flags(
            oidc_issuer_url=issuer.url,
            oidc_client_id="kubernetes",
            oidc_groups_claim="groups",
            **flags,
        )
        agent = Agent(reactor, issuer_trust(str(issuer.ca_file), "", ""))
        self.issuer = issuer
        self.authentication = Authentication([rules], Fetcher(reactor, agent), reactor)

    async def __aenter__(self) -> Running:
        self.authentication.startService()
        return self

    async def __aexit__(self, *_: object) -> None:
        stopped = self.authentication.stopService()
        if stopped is not None:
            await stopped

    @property
    def keys(self) -> timing.IssuerKeys:
        """What keeps the issuer's keys."""
        (keys,) = self.authentication._issuers.values()
        return keys

    async def ready(self) -> None:
        """Wait until the first key set has come."""
        await until(lambda: self.authentication.problem is None)

    async def decide(self, token: str) -> Outcome:
        """Decide about a token."""
        decision = self.authentication.decide(f"Bearer {token}".encode())
        return await decision if isinstance(decision, Deferred) else decision

    def fetched(self, path: str) -> int:
        """How often the issuer was asked for a path."""
        return sum(request.path == path for request in self.issuer.requests)


@pytest_twisted.ensureDeferred
async def test_an_issuer_that_is_there():
    async with Issuer(reactor) as issuer, Running(issuer) as running:
        assert isinstance(await running.decide(issuer.token()), Unavailable)
        await running.ready()
        assert isinstance(await running.decide(issuer.token()), Verified)
        assert isinstance(await running.decide(issuer.token(wrong="expired")), Unauthenticated)
        assert (running.fetched("/.well-known/openid-configuration"), running.fetched("/keys")) == (
            1,
            1,
        )


@pytest_twisted.ensureDeferred
async def test_an_issuer_that_comes_late():
    issuer = Issuer(reactor)
    await issuer.start()
    await issuer.stop()
    token = issuer.token()
    async with Running(issuer) as running:
        await running.keys.fetching()
        decision = await running.decide(token)
        assert isinstance(decision, Unavailable)
        assert issuer.url in decision.message
        assert "refused" in decision.message
        await issuer.start()
        await running.ready()
        assert isinstance(await running.decide(token), Verified)
    await issuer.stop()
    issuer.close()


@pytest_twisted.ensureDeferred
async def test_an_issuer_of_another_name():
    class Misnamed(Issuer):
        @property
        def discovery(self):
            return {**super().discovery, "issuer": self.url + "/"}

    async with Misnamed(reactor) as issuer, Running(issuer) as running:
        await running.keys.fetching()
        assert "it names another issuer" in running.authentication.problem
        assert running.fetched("/keys") == 0


@pytest_twisted.ensureDeferred
async def test_keys_that_change():
    async with Issuer(reactor) as issuer, Running(issuer) as running:
        await running.ready()
        old = issuer.token()
        assert isinstance(await running.decide(old), Verified)
        issuer.rotate_keys(keep_old=True)
        await until(running.keys.may_refresh)
        new = issuer.token()
        assert isinstance(await running.decide(new), Verified)
        assert isinstance(await running.decide(old), Verified)
        issuer.rotate_keys()
        await until(running.keys.may_refresh)
        assert isinstance(await running.decide(issuer.token()), Verified)
        assert isinstance(await running.decide(old), Unauthenticated)
        assert isinstance(await running.decide(new), Unauthenticated)


@pytest_twisted.ensureDeferred
async def test_a_flood_of_unknown_keys():
    async with Issuer(reactor) as issuer, Running(issuer) as running:
        await running.ready()
        await until(running.keys.may_refresh)
        tokens = [issuer.token(sub=str(number), wrong="unknown-key") for number in range(100)]
        asking = [Deferred.fromCoroutine(running.decide(token)) for token in tokens]
        for decision in await gatherResults(asking):
            assert isinstance(decision, Unauthenticated)
        for token in tokens:
            assert isinstance(await running.decide(token), Unauthenticated)
        assert running.fetched("/keys") <= 3


@pytest_twisted.ensureDeferred
async def test_an_issuer_that_goes_away_takes_nothing_with_it():
    async with Issuer(reactor) as issuer, Running(issuer) as running:
        await running.ready()
        await issuer.stop()
        assert isinstance(await running.decide(issuer.token()), Verified)
        assert running.authentication.problem is None
        await issuer.start()


@pytest_twisted.ensureDeferred
async def test_groups_in_a_distributed_claim():
    async with Issuer(reactor) as issuer, Running(issuer) as running:
        await running.ready()
        endpoint = issuer.claims_endpoint("opener", groups=["far"])

        def token(access_token: str) -> str:
            source = {"endpoint": endpoint, "access_token": access_token}
            return issuer.token(
                groups=None, _claim_names={"groups": "s"}, _claim_sources={"s": source}
            )

        good = token("opener")
        crowd = [Deferred.fromCoroutine(running.decide(good)) for _ in range(10)]
        for decision in await gatherResults(crowd):
            assert isinstance(decision, Verified)
            assert decision.identity.groups == ("far",)
        assert running.fetched("/claims/1") == 1
        decision = await running.decide(token("another"))
        assert isinstance(decision, Unavailable)
        assert "status 401" in decision.message


@pytest_twisted.ensureDeferred
async def test_nothing_is_left_behind_when_it_ends():
    async with Issuer(reactor) as issuer:
        issuer.fail("discovery", 200, delay=60)
        async with Running(issuer):
            await issuer.until(lambda: issuer.requests)
        await issuer.until(lambda: issuer.connections == 0)
