"""Fixtures for pytest, and what the servers were asked, in the report of a test that fails.

pytest loads this with every run of a suite where the harness is installed; so nothing of the
harness is imported before a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from koproxy_harness.issuer.issuer import Issuer
    from koproxy_harness.kube.api import KubeAPI
    from koproxy_harness.plugin.watched import Watched

_WATCHED: pytest.StashKey[list[Watched]] = pytest.StashKey()


@pytest.fixture
def oidc_issuer(request: pytest.FixtureRequest) -> Iterator[Issuer]:
    """An OpenID Connect issuer of this test's own, listening: a `koproxy_harness.Issuer`."""
    yield from _issuer(request)


@pytest.fixture
def kube_api(request: pytest.FixtureRequest, oidc_issuer: Issuer) -> Iterator[KubeAPI]:
    """A Kubernetes API server of this test's own, which trusts `oidc_issuer`.

    It is a `koproxy_harness.KubeAPI`, listening.
    """
    yield from _kube_api(request, oidc_issuer)


@pytest.fixture(scope="session")
def oidc_issuer_session(request: pytest.FixtureRequest) -> Iterator[Issuer]:
    """An issuer for the whole run (under pytest-xdist: of one worker).

    Nothing is put back between tests: what one does to it, the next one finds.
    """
    yield from _issuer(request)


@pytest.fixture(scope="session")
def kube_api_session(
    request: pytest.FixtureRequest, oidc_issuer_session: Issuer
) -> Iterator[KubeAPI]:
    """An API server for the whole run, which trusts `oidc_issuer_session`.

    Nothing is put back between tests: what one does to it, the next one finds.
    """
    yield from _kube_api(request, oidc_issuer_session)


def _issuer(request: pytest.FixtureRequest) -> Iterator[Issuer]:
    from koproxy_harness.issuer.issuer import Issuer
    from koproxy_harness.plugin.watched import watching

    with Issuer() as issuer, watching(_watched(request.config), request.fixturename, issuer):
        yield issuer


def _kube_api(request: pytest.FixtureRequest, issuer: Issuer) -> Iterator[KubeAPI]:
    from koproxy_harness.kube.api import KubeAPI
    from koproxy_harness.plugin.watched import watching

    with KubeAPI(issuer) as api, watching(_watched(request.config), request.fixturename, api):
        yield api


def _watched(config: pytest.Config) -> list[Watched]:
    return config.stash.setdefault(_WATCHED, [])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note what a session's servers were asked before this test."""
    for watched in _watched(item.config):
        watched.begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell in the report of a failure what the servers were asked."""
    report = yield
    if report.failed:
        report.sections.extend(
            (f"{watched.name} was asked", watched.told)
            for watched in _watched(item.config)
            if watched.told
        )
    return report
