"""HTTP as rarer clients speak it, byte for byte, through koproxy to a real API server."""

import json
import uuid
from collections.abc import Iterator

import pytest
from e2e.running import Side, connected
from localcluster.cluster import NAMESPACE, Cluster
from localcluster.dex import ANNA
from localcluster.processes import wait_until
from support.running import request

CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
OPENAPI = "/openapi/v3/api/v1"  # more than a megabyte, with an ETag


@pytest.fixture
def names(cluster: Cluster) -> Iterator[list[str]]:
    """The names of some ConfigMaps, each with its own name in it."""
    names = [f"page-{number}-{uuid.uuid4().hex[:8]}" for number in range(4)]
    cluster.admin.apply(*(json.loads(configmap(name)) for name in names))
    yield names
    cluster.admin("delete", "configmap", f"--namespace={NAMESPACE}", *names)


def configmap(name: str) -> bytes:
    metadata = {"name": name, "namespace": NAMESPACE}
    content = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"me": name}}
    return json.dumps(content).encode()


def test_pipelined_requests_are_answered_in_their_order(through: Side, names: list[str]) -> None:
    asked = [f"{CONFIGMAPS}/{name}" for name in (*names, "no-such-page", *reversed(names))] * 4
    with connected(through) as client:
        client.send(b"".join(request("GET", path, through.token) for path in asked))
        for path in asked:
            status, body = client.answer()
            name = path.rpartition("/")[2]
            if name in names:
                assert (status, json.loads(body)["data"]) == (200, {"me": name})
            else:
                assert (status, json.loads(body)["details"]["name"]) == (404, name)


def test_a_client_that_expects_to_be_told_to_continue(through: Side) -> None:
    body = configmap("continued")
    more = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    with connected(through) as client:
        head = request(
            *("POST", f"{CONFIGMAPS}?dryRun=All", through.token, *more, "Expect: 100-continue")
        )
        client.send(head)
        assert client.line().split()[1] == b"100"
        while client.line() != b"\r\n":
            pass
        client.send(body)
        status, created = client.answer()
        assert (status, json.loads(created)["metadata"]["name"]) == (201, "continued")
        # The connection goes on.
        assert client.get("/healthz", through.token) == (200, b"ok")


def test_who_expects_to_continue_and_may_not_is_told_so_at_once(through: Side) -> None:
    more = ("Content-Type: application/json", "Content-Length: 100", "Expect: 100-continue")
    with connected(through) as client:
        client.send(request("POST", CONFIGMAPS, "no-token", *more))
        assert client.head()[0] == 401


@pytest.mark.parametrize(
    ("path", "kept"), [("/version", True), (CONFIGMAPS, False)], ids=["length", "until-close"]
)
def test_a_client_of_http_1_0(
    through: Side, direct: Side, names: list[str], path: str, kept: bool
) -> None:
    """What comes without a length ends with the connection, and is in no chunks."""
    bodies = []
    for side in (through, direct):
        with connected(side) as client:
            client.send(request("GET", path, side.token).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
            status, fields = client.head()
            assert status == 200
            assert ("content-length" in fields) == kept
            assert "transfer-encoding" not in fields
            bodies.append(json.loads(client.read(-1)))
    if path == CONFIGMAPS:
        found = [{item["metadata"]["name"] for item in body["items"]} for body in bodies]
        assert found[0] == found[1]
        assert set(names) <= found[0]
    else:
        assert bodies[0] == bodies[1]


def test_a_watch_by_http_1_0_ends_with_its_connection(through: Side, names: list[str]) -> None:
    selector = f"fieldSelector=metadata.name%3D{names[0]}"
    target = f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&{selector}"
    with connected(through) as client:
        client.send(request("GET", target, through.token).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        assert client.head()[0] == 200
        (line,) = client.read(-1).splitlines()
        event = json.loads(line)
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", names[0])


@pytest.fixture
def may_ask_for_heads(cluster: Cluster, through: Side) -> Iterator[None]:
    """The right that HEAD needs for what is no object, which nobody has by default."""
    admin = cluster.admin
    admin("create", "clusterrole", "heads", "--verb=head", f"--non-resource-url={OPENAPI}")
    admin("create", "clusterrolebinding", "heads", "--clusterrole=heads", f"--user={ANNA}")

    def allowed() -> bool:
        with through.ask(OPENAPI, method="HEAD") as answer:
            return answer.status == 200

    wait_until(allowed, "the API server knows of the right")
    yield
    admin("delete", "clusterrolebinding,clusterrole", "heads")


@pytest.mark.usefixtures("may_ask_for_heads")
def test_head_has_a_length_and_no_body(through: Side, direct: Side) -> None:
    lengths = []
    for side in (through, direct):
        with connected(side) as client:
            client.send(request("HEAD", OPENAPI, side.token))
            status, fields = client.head()
            assert status == 200
            lengths.append(int(fields["content-length"]))
            assert client.get("/healthz", side.token) == (200, b"ok")
    assert lengths[0] == lengths[1] > 1 << 20


def test_not_modified_has_no_body(through: Side) -> None:
    with connected(through) as client:
        client.send(request("GET", OPENAPI, through.token))
        _, fields = client.head()
        client.read(int(fields["content-length"]))
        client.send(
            request("GET", OPENAPI, through.token, f"If-None-Match: {fields['etag']}")
            + request("GET", "/healthz", through.token)
        )
        status, unchanged = client.head()
        assert (status, unchanged["etag"]) == (304, fields["etag"])
        assert client.answer() == (200, b"ok")


@pytest.mark.parametrize("accept", ["application/vnd.kubernetes.protobuf", "application/yaml"])
def test_an_object_in_other_forms(
    through: Side, direct: Side, names: list[str], accept: str
) -> None:
    answers = []
    for side in (through, direct):
        with side.ask(f"{CONFIGMAPS}/{names[0]}", fields={"Accept": accept}) as answer:
            answers.append((answer.status, answer.getheader("Content-Type"), answer.read()))
    assert answers[0] == answers[1]
    assert answers[0][:2] == (200, accept)


def test_an_upload_in_chunks_with_extensions(through: Side) -> None:
    body = configmap("in-chunks")
    cut = len(body) // 2
    more = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    with connected(through) as client:
        client.send(request("POST", f"{CONFIGMAPS}?dryRun=All", through.token, *more))
        for piece, extension in ((body[:cut], b';size="half"'), (body[cut:], b";rest")):
            client.send(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece))
        client.send(b"0\r\nChecked: yes\r\n\r\n")
        status, created = client.answer()
        assert (status, json.loads(created)["data"]) == (201, {"me": "in-chunks"})
        assert client.get("/healthz", through.token) == (200, b"ok")
