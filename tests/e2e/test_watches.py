"""Watches through koproxy: many at once, and longer than a login."""

import contextlib
import http.client
import json
import uuid
from collections.abc import Iterator

import pytest
from e2e.longrunning import long_running
from e2e.running import Koproxy, ShortLogins, running
from e2e.upgrades import SPDY, WEBSOCKET, assert_upgraded
from localcluster.cluster import NAMESPACE, POD, Cluster
from localcluster.dex import ANNA
from localcluster.processes import wait_until

CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
MANY = 150
EXEC = ("exec", "--stdin", "-v=6", f"--namespace={NAMESPACE}", POD, "--", "cat")


@pytest.fixture
def name(cluster: Cluster) -> Iterator[str]:
    """The name of a ConfigMap for one test."""
    name = f"news-{uuid.uuid4().hex[:8]}"
    yield name
    cluster.admin("delete", "configmap", name, f"--namespace={NAMESPACE}", "--ignore-not-found")


def next_event(watch: http.client.HTTPResponse) -> tuple[str, str]:
    """The type and the object's name of the next event, when it comes."""
    event = json.loads(watch.readline())
    return event["type"], event["object"]["metadata"]["name"]


def create(cluster: Cluster, name: str) -> None:
    cluster.admin("create", "configmap", name, f"--namespace={NAMESPACE}")


def test_many_watches_see_the_same_event(cluster: Cluster, koproxy: Koproxy, name: str) -> None:
    token = cluster.issuer.log_in(ANNA)
    others = long_running(cluster, "configmaps")
    version = koproxy.get(f"{CONFIGMAPS}?limit=1", token).body["metadata"]["resourceVersion"]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(koproxy.client()) for _ in range(MANY)]
        watches = [
            client.ask(f"{CONFIGMAPS}?watch=true&resourceVersion={version}", token)
            for client in clients
        ]
        assert {watch.status for watch in watches} == {200}
        assert long_running(cluster, "configmaps") == others + MANY
        create(cluster, name)
        assert {next_event(watch) for watch in watches} == {("ADDED", name)}
        for watch in watches:
            watch.close()
    wait_until(
        lambda: long_running(cluster, "configmaps") == others,
        "no watch is left at the API server",
        seconds=10,
    )


def test_what_has_begun_outlives_its_token(
    cluster: Cluster, short_logins: ShortLogins, name: str
) -> None:
    koproxy, issuer = short_logins.koproxy, short_logins.issuer
    version = json.loads(cluster.admin("get", "--raw", CONFIGMAPS))["metadata"]["resourceVersion"]
    with contextlib.ExitStack() as stack:
        cats = []
        for env in (WEBSOCKET, SPDY):
            kubectl = koproxy.kubectl(issuer.log_in(ANNA))
            cat = stack.enter_context(running(kubectl, *EXEC, env=env))
            cat.write(b"logged in\n")
            assert cat.line() == "logged in"
            cats.append(cat)
        token = issuer.log_in(ANNA)
        client = stack.enter_context(koproxy.client())
        watch = client.ask(f"{CONFIGMAPS}?watch=true&resourceVersion={version}", token)
        assert watch.status == 200

        wait_until(
            lambda: koproxy.get(CONFIGMAPS, token).status == 401,
            "the youngest token has expired",
            seconds=30,
        )
        create(cluster, name)
        assert next_event(watch) == ("ADDED", name)
        watch.close()
        for cat, env in zip(cats, (WEBSOCKET, SPDY), strict=True):
            cat.write(b"logged out\n")
            assert cat.line() == "logged out"
            assert_upgraded(cat.errors(), env, "exec")
