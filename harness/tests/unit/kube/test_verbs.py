"""What is answered to requests about objects, without a socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest
from koproxy_harness.kube import first
from koproxy_harness.kube.access.control import Access
from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.kinds import Kinds
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.schema import Schemas, builtin
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Store
from koproxy_harness.kube.verbs.definitions import Definitions
from koproxy_harness.kube.verbs.verbs import Verbs
from koproxy_harness.kube.verbs.watches import Watches
from koproxy_harness.serving.clock import Clock

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
POD = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
ADMIN = User("admin", ("system:masters",))


class Told:
    """An exchange that only remembers what it is told."""

    def __init__(self, query: dict[str, str], body: bytes, named: str) -> None:
        fields = {"content-type": [named], "user-agent": ["tester/1"]}
        self.request = SimpleNamespace(
            path="/",
            query=query,
            body=body,
            json=lambda: json.loads(body),
            values=lambda name: fields.get(name, []),
        )
        self.status = 0
        self.body: Any = None
        self.headers: Any = ()
        self.events: list[Any] = []
        self.ended = False
        self.gone: list[Callable[[], None]] = []

    def respond(self, status: int, body: Any, headers: Any = ()) -> None:
        self.status, self.body, self.headers = status, body, headers

    def begin(self, status: int, headers: Any) -> None:
        self.status = status

    def send(self, data: bytes) -> None:
        self.events.append(json.loads(data))

    def end(self) -> None:
        self.ended = True

    def when_gone(self, callback: Callable[[], None]) -> None:
        self.gone.append(callback)


class Server:
    """All that answers, and the store below it."""

    def __init__(self) -> None:
        self.store = Store(first.objects())
        kinds, schemas, clock = Kinds(builtin.kinds()), Schemas(), Clock()
        definitions = Definitions(self.store, kinds, schemas)
        access = Access(self.store, "token", None, clock.now)
        self.watches = Watches(self.store, lambda: pytest.fail("no watch here has an end"))
        self.verbs = Verbs(
            *(self.store, kinds, schemas, definitions, self.watches, access.escalation, clock)
        )

    def ask(self, method: str, url: str, body: Any = None, named: str = "application/json") -> Told:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        told = Told(query, b"" if body is None else json.dumps(body).encode(), named)
        info = RequestInfo.of(method, parts.path, query)
        self.verbs.answer(cast(Any, told), info, ADMIN)
        return told


@pytest.fixture
def server() -> Server:
    return Server()


def test_an_eviction_on_trial_leaves_the_pod(server: Server) -> None:
    made = server.ask("POST", PODS, POD).body
    assert server.ask("POST", f"{PODS}/web/eviction?dryRun=All", {}).status == 201
    options = {"deleteOptions": {"dryRun": ["All"]}}
    assert server.ask("POST", f"{PODS}/web/eviction", options).status == 201
    assert server.ask("GET", f"{PODS}/web").body == made
    assert server.ask("POST", f"{PODS}/web/eviction", {}).status == 201
    with pytest.raises(Refusal, match='pods "web" not found'):
        server.ask("GET", f"{PODS}/web")


def test_an_eviction_is_of_the_pod_that_is_meant(server: Server) -> None:
    server.ask("POST", PODS, POD)
    options = {"deleteOptions": {"preconditions": {"uid": "another"}}}
    with pytest.raises(Refusal, match=r"the UID in the precondition \(another\)") as no:
        server.ask("POST", f"{PODS}/web/eviction", options)
    assert (no.value.code, no.value.reason) == (409, "Conflict")
    assert server.ask("GET", f"{PODS}/web").status == 200


@pytest.mark.parametrize("name", ["default", "kube-public", "kube-system"])
def test_namespaces_of_every_cluster_stay(server: Server, name: str) -> None:
    with pytest.raises(Refusal, match="this namespace may not be deleted") as no:
        server.ask("DELETE", f"/api/v1/namespaces/{name}")
    assert no.value.code == 403


def test_what_changes_nothing_keeps_its_version(server: Server) -> None:
    made = server.ask("POST", MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}}).body
    assert server.ask("PUT", f"{MAPS}/a", made).body == made
    other = server.ask("PUT", f"{MAPS}/a", {**made, "data": {"k": "w"}}).body
    assert other["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    with pytest.raises(Refusal, match="the object has been modified") as no:
        server.ask("PUT", f"{MAPS}/a", {**made, "data": {}})
    assert (no.value.code, no.value.reason) == (409, "Conflict")


def test_status_and_spec_are_changed_apart(server: Server) -> None:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": POD["spec"]}
    spec = {"selector": {"matchLabels": labels}, "template": template, "replicas": 1}
    given = {"metadata": {"name": "web"}, "spec": spec, "status": {"replicas": 9}}
    made = server.ask("POST", DEPLOYMENTS, given).body
    assert (made["metadata"]["generation"], made["status"]) == (1, {})
    both = {**made, "spec": {**spec, "replicas": 2}, "status": {"replicas": 2}}
    below = server.ask("PUT", f"{DEPLOYMENTS}/web/status", both).body
    assert (below["spec"]["replicas"], below["status"]["replicas"]) == (1, 2)
    assert below["metadata"]["generation"] == 1
    both = {**below, "spec": {**spec, "replicas": 3}, "status": {"replicas": 7}}
    above = server.ask("PUT", f"{DEPLOYMENTS}/web", both).body
    assert (above["spec"]["replicas"], above["status"]["replicas"]) == (3, 2)
    assert above["metadata"]["generation"] == 2


def test_a_watch_sees_what_enters_and_leaves_its_selection(server: Server) -> None:
    watch = server.ask("GET", f"{MAPS}?watch=1&labelSelector=on=yes")
    server.ask("POST", MAPS, {"metadata": {"name": "a"}})
    server.ask("PUT", f"{MAPS}/a", {"metadata": {"name": "a", "labels": {"on": "yes"}}})
    server.ask("PUT", f"{MAPS}/a", {"metadata": {"name": "a", "labels": {"on": "no"}}})
    server.ask("DELETE", f"{MAPS}/a")
    assert [event["type"] for event in watch.events] == ["ADDED", "DELETED"]
    assert server.watches.end("*") == 1
    assert watch.ended


def test_a_watch_with_initial_events_says_where_they_end(server: Server) -> None:
    server.ask("POST", MAPS, {"metadata": {"name": "a"}})
    asked = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    watch = server.ask("GET", f"{MAPS}?watch=1&{asked}")
    assert [event["type"] for event in watch.events] == ["ADDED", "BOOKMARK"]
    annotations = watch.events[-1]["object"]["metadata"]["annotations"]
    assert annotations == {"k8s.io/initial-events-end": "true"}


def test_a_number_has_decimal_digits(server: Server) -> None:
    with pytest.raises(Refusal) as no:
        server.ask("GET", f"{MAPS}?limit=²")
    assert no.value.code == 400


def test_some_are_only_updated_by_version(server: Server) -> None:
    leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    lease = {"metadata": {"name": "l"}, "spec": {}}
    made = server.ask("POST", leases, lease).body
    with pytest.raises(Refusal, match="0: must be specified for an update") as no:
        server.ask("PUT", f"{leases}/l", lease)
    assert (no.value.code, no.value.reason) == (422, "Invalid")
    assert server.ask("PUT", f"{leases}/l", made).body == made


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_collection_is_not_changed(server: Server, method: str) -> None:
    with pytest.raises(Refusal) as no:
        server.ask(method, MAPS, {})
    assert no.value.code == 405
