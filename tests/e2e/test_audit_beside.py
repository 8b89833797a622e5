"""koproxy's audit events beside the API server's own: the same requests, told alike."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e.running import Koproxy, KoproxyStarter, Side, running
from e2e.trusting import Trusting, audit_flags
from e2e.upgrades import BOTH
from localcluster.cluster import ECHO_PORT, MANIFESTS, NAMESPACE, POD
from localcluster.kubectl import Kubectl
from localcluster.local import start_nodes
from localcluster.pki import Authority
from localcluster.processes import Processes, wait_until

WHERE = f"--namespace={NAMESPACE}"
CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
ORIGINAL = "originaluser.jetstack.io-"
DONE = "ResponseComplete"
Event = dict[str, Any]


@dataclass(frozen=True)
class Beside:
    """A koproxy that audits before an API server that does, and both logs."""

    koproxy: Koproxy
    trusting: Trusting
    log: Path

    def kubectl(self, name: str) -> Kubectl:
        """kubectl as somebody who may do everything and has done nothing yet."""
        return self.koproxy.kubectl(self.token(name), name)

    def token(self, name: str) -> str:
        return self.trusting.token(name, ["dev", "all"], uid=f"id-of-{name}", team="red")

    def ours(self, name: str) -> list[Event]:
        """koproxy's events of what somebody did, in the order in which they were written."""
        return [each for each in events(self.log) if each["user"].get("username") == name]

    def theirs(self) -> dict[tuple[str, str], Event]:
        """The API server's events, by the request's name and the stage."""
        return {(each["auditID"], each["stage"]): each for each in events(self.trusting.audit_log)}


def events(log: Path) -> list[Event]:
    # The last line may be half written.
    whole = log.read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


@pytest.fixture(scope="module")
def beside(
    trusting: Trusting,
    parts: Processes,
    authority: Authority,
    start_koproxy: KoproxyStarter,
) -> Iterator[Beside]:
    directory = parts.directory / "beside"
    directory.mkdir(exist_ok=True)
    pod_log = directory / "pod.log"
    pod_log.write_text("a line\n")
    api = trusting.api
    start_nodes(parts, authority, api, pod_log)
    api.admin("apply", "-f", MANIFESTS / "local.yaml")
    api.admin("wait", WHERE, "--for=condition=Ready", "pod", "--all")
    api.admin("create", "clusterrolebinding", "all", "--clusterrole=cluster-admin", "--group=all")
    log = directory / "audit.log"
    flags = audit_flags(directory, log)
    koproxy = start_koproxy.with_file(
        "koproxy-beside",
        trusting.kubeconfig,
        trusting.file,
        [*flags, "--allow-inbound-impersonation"],
    )
    yield Beside(koproxy.wait_until_ready(), trusting, log)
    koproxy.server.stop()


@pytest.fixture
def name() -> str:
    """Somebody who is in no other test, and a name for their objects."""
    return f"beside-{uuid.uuid4().hex[:8]}"


def reference(event: Event) -> dict[str, str]:
    """What an event says of the object, but for what the API server knows from bodies alone."""
    unknown = {"uid", "resourceVersion", *(("name",) if event["verb"] == "create" else ())}
    found: dict[str, str] = event.get("objectRef", {})
    return {key: value for key, value in found.items() if key not in unknown}


def person(found: Event) -> Event:
    """Somebody, but for the fields that tell who asks to be them."""
    extra = found.get("extra", {})
    kept = {key: extra[key] for key in extra if not key.startswith(ORIGINAL)}
    return {**found, "extra": kept}


def essence(event: Event, who: Event) -> Event:
    """What both events of one stage have to say; `who` is the person as whom it is done."""
    status = event.get("responseStatus", {})
    return {
        **{field: event.get(field) for field in ("level", "verb", "requestURI", "userAgent")},
        "objectRef": reference(event),
        "client": event["sourceIPs"][0],
        "code": status.get("code"),
        # The API server has it read later than it writes its first event.
        "person": person(who) if event["stage"] != "RequestReceived" else None,
    }


def compared(beside: Beside, name: str) -> list[Event]:
    """koproxy's last events of all that somebody did, when each has been found at the API server's
    and is alike."""

    def complete() -> bool:
        begun = {each["auditID"] for each in beside.ours(name)}
        ended = {each["auditID"] for each in beside.ours(name) if each["stage"] == DONE}
        theirs = beside.theirs()
        return begun == ended and all((each, DONE) in theirs for each in ended)

    wait_until(complete, "all requests have been told to their end")
    ours, theirs = beside.ours(name), beside.theirs()
    differences = []
    for event in ours:
        assert event["annotations"]["koproxy/decision"] == "authenticated"
        other = theirs.get((event["auditID"], event["stage"]))
        if other is None:
            differences.append(event)
            continue
        here = essence(event, event.get("impersonatedUser") or event["user"])
        there = essence(other, other.get("impersonatedUser", {}))
        for part in here:
            if here[part] != there[part]:
                differences.append({part: (here[part], there[part]), "of": event["requestURI"]})
        assert other["user"]["username"] == "system:serviceaccount:koproxy:reviewer"
        assert event["requestReceivedTimestamp"] <= other["requestReceivedTimestamp"]
    assert differences == []
    stages = [(each["auditID"], each["stage"]) for each in ours]
    assert len(set(stages)) == len(stages)
    names = {each for each, _ in stages}
    # That an answer has begun is not told here where it is there as a whole.
    missing = {key for key in theirs if key[0] in names} - set(stages)
    assert {stage for _, stage in missing} <= {"ResponseStarted"}
    ended = [each for each in ours if each["stage"] == DONE]
    for event in ended:
        if event["verb"] == "watch" or event["responseStatus"]["code"] == 101:
            assert (event["auditID"], "ResponseStarted") not in missing, event
    return ended


def told(events: list[Event]) -> set[tuple[str, ...]]:
    """Verb, resource and subresource, or the path."""
    found = set()
    for event in events:
        ref = event.get("objectRef")
        path = (event["requestURI"].partition("?")[0],)
        found.add(
            (event["verb"], *((ref["resource"], ref.get("subresource", "")) if ref else path))
        )
    return found


def test_objects(beside: Beside, name: str) -> None:
    kubectl = beside.kubectl(name)
    configmap = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"of": name}},
    }
    file = json.dumps(configmap).encode()
    changed = json.dumps({**configmap, "data": {"tea": "hot"}}).encode()
    deployment = [f"deployment/{name}", WHERE]
    kubectl("get", "pods", WHERE)
    kubectl("get", "pod", POD, WHERE, "-o", "yaml")
    kubectl("get", "nodes,namespaces")
    kubectl("get", "pods", "--all-namespaces", "--field-selector=metadata.name=web")
    kubectl("create", "-f", "-", stdin=file)
    kubectl("apply", "-f", "-", stdin=changed)
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=changed)
    kubectl("label", "configmap", name, WHERE, "more=x")
    kubectl("patch", "configmap", name, WHERE, "--patch", '{"data":{"tea":"cold"}}')
    kubectl("replace", "-f", "-", stdin=file)
    kubectl("delete", "configmap", name, WHERE)
    kubectl("create", "-f", "-", stdin=file)
    kubectl("delete", "--raw", f"{CONFIGMAPS}?labelSelector=of%3D{name}")
    kubectl("create", "deployment", name, WHERE, "--image=example.com/a", "--replicas=0")
    kubectl("scale", *deployment, "--replicas=1")
    kubectl("patch", *deployment, "--subresource=status", "--type=merge", "--patch", "{}")
    kubectl("delete", *deployment)
    kubectl("create", "serviceaccount", name, WHERE)
    kubectl("create", "token", name, WHERE)
    kubectl("create", "clusterrole", name, "--verb=get", "--resource=pods")
    kubectl("delete", "clusterrole", name)
    kubectl("create", "namespace", name)
    kubectl("auth", "can-i", "delete", "pods", WHERE)
    kubectl("auth", "whoami")
    found = told(compared(beside, name))
    assert found >= {
        *((verb, "configmaps", "") for verb in ("create", "get", "patch", "update", "delete")),
        ("deletecollection", "configmaps", ""),
        *(("list", resource, "") for resource in ("pods", "nodes", "namespaces")),
        ("get", "pods", ""),
        ("create", "deployments", ""),
        ("patch", "deployments", "scale"),
        ("patch", "deployments", "status"),
        ("create", "serviceaccounts", "token"),
        ("create", "clusterroles", ""),
        ("create", "namespaces", ""),
        ("create", "selfsubjectaccessreviews", ""),
        ("create", "selfsubjectreviews", ""),
    }


def test_paths_that_are_no_objects(beside: Beside, name: str) -> None:
    paths = [
        *("/version", "/healthz", "/readyz?verbose", "/api", "/apis", "/api/v1", "/apis/apps"),
        *("/apis/apps/v1", "/openapi/v2", "/metrics", "/", "/api/", "/version?a=b%20c"),
        *("/nowhere", "/apis/nowhere.example.com/v1", f"{CONFIGMAPS}/{name}/more/and/more"),
        *(f"{CONFIGMAPS}/{name}", "/api/v1/nowhere", "/api/v1/namespaces/shop/pods/web/nowhere"),
        *("/api/v1/namespaces//pods", "/api/v1//pods", "//api/v1/pods", f"{CONFIGMAPS}?limit=x"),
        *("/apis/metrics.k8s.io/v1beta1/nodes", "/api/v1/nodes/kwok/proxy/healthz?x=y"),
        *("/api/v1/namespaces/shop/pods/web/proxy/a/b", "/api/v1/proxy/nodes/kwok/a"),
        "/api/v1/namespaces/shop/services/http:none:80/proxy/",
        *("/api/v1/namespaces/shop", "/api/v1/namespaces/shop/status", "/api/v1/namespaces/"),
        *("/api/v1/pods/web%2Flog", "/api/v1/namespaces/shop/pods/%77eb", "/api/v1/pods;a=b"),
        *(f"{CONFIGMAPS}/", f"{CONFIGMAPS}?fieldSelector=metadata.name%3D{name}"),
        *(f"{CONFIGMAPS}?watch=false", f"{CONFIGMAPS}?watch=0", f"{CONFIGMAPS}?limit=1&limit=x"),
        *(f"{CONFIGMAPS}?watch=1&timeoutSeconds=1", f"{CONFIGMAPS}?watch&timeoutSeconds=1"),
        "/api/v1/watch/namespaces/shop/configmaps?timeoutSeconds=1",
        f"/api/v1/watch/namespaces/shop/configmaps/{name}?timeoutSeconds=1",
        f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3D{name}",
    ]
    koproxy = beside.koproxy
    for path in paths:
        with Side(koproxy.url, koproxy.ca, beside.token(name)).ask(path) as answer:
            answer.read()
    assert [each["requestURI"] for each in compared(beside, name)] == paths


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"]
)
def test_methods(beside: Beside, name: str, method: str) -> None:
    koproxy = beside.koproxy
    paths = [f"{CONFIGMAPS}/{name}", f"{CONFIGMAPS}?labelSelector=of%3D{name}", "/version"]
    for path in paths:
        with Side(koproxy.url, koproxy.ca, beside.token(name)).ask(path, method=method) as answer:
            answer.read()
    assert [each["requestURI"] for each in compared(beside, name)] == paths


@BOTH
def test_streams(beside: Beside, name: str, env: dict[str, str]) -> None:
    kubectl = beside.kubectl(name)
    kubectl("logs", WHERE, POD, "--tail=1")
    done = kubectl.run(
        *("exec", "--stdin", WHERE, POD, "--", "sh", "-c", "cat; exit 7"), stdin=b"x", env=env
    )
    assert done.returncode == 7
    with running(kubectl, "port-forward", WHERE, POD, f":{ECHO_PORT}", env=env) as forward:
        forward.line_with("Forwarding from")
    with running(kubectl, "logs", "--follow", WHERE, POD) as logs:
        logs.line()
    with running(kubectl, "get", "pods", WHERE, "--watch", "-o", "name") as watch:
        watch.line()
        named = ("get", "pod", POD, WHERE, "--watch", "-o", "name")
        with running(kubectl, *named) as one:
            one.line()
            wait_until(
                lambda: len(watches_begun(beside, name)) == 2, "both watches are being answered"
            )
    found = compared(beside, name)
    method = "get" if "true" in env.values() else "create"
    assert told(found) >= {
        (method, "pods", "exec"),
        (method, "pods", "portforward"),
        ("get", "pods", "log"),
        ("watch", "pods", ""),
    }
    watched = [each["objectRef"].get("name") for each in found if each["verb"] == "watch"]
    assert sorted(watched, key=str) == [None, POD]


def watches_begun(beside: Beside, name: str) -> list[Event]:
    return [
        each
        for each in beside.ours(name)
        if each["stage"] == "ResponseStarted" and each["verb"] == "watch"
    ]


def test_somebody_else_is_told_beside_who_asks(beside: Beside, name: str) -> None:
    kubectl = beside.kubectl(name)
    flags = ["--as=lena", "--as-group=ops", "--as-uid=7", "--as-user-extra=team=blue"]
    robot, nobody = f"system:serviceaccount:{NAMESPACE}:robot", "system:anonymous"
    kubectl("auth", "whoami", *flags)
    kubectl("auth", "whoami", f"--as={robot}")
    kubectl("auth", "whoami", f"--as={robot}", "--as-group=ops")
    kubectl("get", "--raw", "/version", f"--as={nobody}")
    kubectl("get", "--raw", "/version", "--as=lena", "--as-group=system:unauthenticated")
    refused = kubectl.run("get", "configmaps", WHERE, *flags)
    assert refused.returncode == 1
    events = compared(beside, name)
    assert {each["impersonatedUser"]["username"] for each in events} == {"lena", robot, nobody}
    assert {each["user"]["username"] for each in events} == {name}
    assert 403 in {each["responseStatus"]["code"] for each in events}


def test_refusals_are_told_here_alone(beside: Beside, name: str) -> None:
    names = {f"{name}-{kind}" for kind in ("nonsense", "nobody")}
    koproxy, trusting = beside.koproxy, beside.trusting
    with Side(koproxy.url, koproxy.ca, "nonsense").ask(
        CONFIGMAPS, fields={"Audit-ID": f"{name}-nonsense"}
    ) as answer:
        assert answer.status == 401
        assert answer.headers["Audit-ID"] == f"{name}-nonsense"
    with Side(koproxy.url, koproxy.ca, trusting.token("nobody")).ask(
        CONFIGMAPS, fields={"Audit-ID": f"{name}-nobody", "Impersonate-User": "root"}
    ) as answer:
        assert answer.status == 403
    found = [each for each in events(beside.log) if each["auditID"] in names]
    assert {each["auditID"] for each in found} == names
    codes = {
        each["auditID"]: each["responseStatus"]["code"] for each in found if each["stage"] == DONE
    }
    assert codes == {f"{name}-nonsense": 401, f"{name}-nobody": 403}
    # What comes after is there, so what came before would be.
    beside.kubectl(name)("get", "--raw", "/version")
    compared(beside, name)
    assert names.isdisjoint(each for each, _ in beside.theirs())


def test_a_name_that_the_client_gives_is_the_same_everywhere(beside: Beside, name: str) -> None:
    koproxy = beside.koproxy
    given = f"given-{name}"
    with Side(koproxy.url, koproxy.ca, beside.token(name)).ask(
        CONFIGMAPS, fields={"Audit-ID": given}
    ) as answer:
        assert answer.status == 200
        assert answer.headers.get_all("Audit-ID") == [given]
        answer.read()
    assert [each["auditID"] for each in compared(beside, name)] == [given]


def test_events_have_neither_tokens_nor_bodies(beside: Beside, name: str) -> None:
    token, secret = beside.token(name), uuid.uuid4().hex
    kubectl = beside.koproxy.kubectl(token, name)
    kubectl("create", "secret", "generic", name, WHERE, f"--from-literal=secret={secret}")
    kubectl("get", "secret", name, WHERE, "-o", "yaml")
    compared(beside, name)
    written = beside.log.read_text()
    assert name in written
    for part in (secret, *token.split(".")[1:]):
        assert part not in written
