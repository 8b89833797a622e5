"""The mock API server of the harness, as a client or a proxy meets it over the network."""

import contextlib
import json
import re
import socket
import ssl
import threading

import pytest
import pytest_twisted
import yaml
from koproxy_harness import WRONG, HarnessError, Issuer, KubeAPI

DEMO = """
kind: Namespace
metadata: {name: demo}
---
kind: Pod
metadata: {name: web, namespace: demo}
"""


class Client:
    """One TLS connection that a test writes bytes to."""

    def __init__(self, api, certificate=None):
        context = ssl.create_default_context(cadata=api.ca_pem)
        if certificate is not None:
            context.load_cert_chain(certificate.cert_file, certificate.key_file)
        plain = socket.create_connection(("127.0.0.1", api.port), timeout=10)
        self.socket = context.wrap_socket(
            plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False
        )
        self.reader = self.socket.makefile("rb")

    def close(self):
        self.reader.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, path, token=None, headers=(), body=None):
        fields = ["Host: api", *headers]
        if token:
            fields.append(f"Authorization: Bearer {token}")
        data = b"" if body is None else json.dumps(body).encode()
        if data:
            fields.append(f"Content-Length: {len(data)}")
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""])
        self.send(head.encode() + data)

    def head(self):
        status = int(self.reader.readline().split()[1])
        fields = {}
        while (line := self.reader.readline()) != b"\r\n":
            name, _, value = line.decode().partition(": ")
            fields[name.lower()] = value.strip()
        return status, fields

    def chunk(self):
        size = int(self.reader.readline(), 16)
        data = self.reader.read(size)
        assert self.reader.readline() == b"\r\n"
        return data

    def answer(self):
        status, fields = self.head()
        return status, self.reader.read(int(fields["content-length"]))

    def call(self, *request, **more):
        self.request(*request, **more)
        status, body = self.answer()
        return status, json.loads(body)


@pytest.fixture
def api():
    with KubeAPI() as api:
        api.apply(DEMO)
        yield api


@pytest.fixture
def client(api):
    with contextlib.closing(Client(api)) as client:
        yield client


ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: sees-users}
rules:
- {apiGroups: [""], resources: [users], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: dev-sees-users}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sees-users}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: dev}
"""
PODS = "/api/v1/namespaces/demo/pods"
REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def who(client, *request, **more):
    status, answer = client.call("POST", REVIEW, *request, body={}, **more)
    return answer["status"]["userInfo"] if status == 201 else status


# Who


def test_the_admin_token_is_the_admin_and_no_token_is_anonymous(api, client):
    assert who(client, api.admin_token)["username"] == "admin"
    for token in ("other", api.admin_token[:-1]):
        assert who(client, token) == 401
    assert who(client, None) == 403  # who may look at /version, and no more
    assert client.call("GET", "/version")[0] == 200


def test_the_admin_token_can_be_replaced(api, client):
    old, api.admin_token = api.admin_token, "new"
    assert who(client, old) == 401
    assert who(client, "new")["username"] == "admin"


def test_a_client_certificate_of_its_authority_says_who_somebody_is(api):
    with contextlib.closing(Client(api, api.client_certificate("kate", ["a", "b"]))) as client:
        user = who(client)
        assert (user["username"], user["groups"]) == ("kate", ["a", "b", "system:authenticated"])
        assert client.call("GET", PODS)[0] == 403
    masters = api.client_certificate("proxy", ["system:masters"])
    with contextlib.closing(Client(api, masters)) as client:
        assert client.call("GET", PODS)[0] == 200
    assert [request.peer_name for request in api.requests] == ["kate", "kate", "proxy"]
    assert [request.user for request in api.requests] == ["kate", "kate", "proxy"]


def test_the_impersonated_identity_is_answered(api, client):
    headers = (
        "impersonate-USER: Jane",
        "Impersonate-Group: b",
        "Impersonate-Group: a",
        "Impersonate-Uid: 7",
        "Impersonate-Extra-Acme.com%2FTeam: x",
        "Impersonate-Extra-acme.com%2fteam: y",
    )
    assert who(client, api.admin_token, headers=headers) == {
        "username": "Jane",
        "groups": ["b", "a", "system:authenticated"],
        "uid": "7",
        "extra": {"acme.com/team": ["x", "y"]},
    }


@pytest.mark.parametrize(
    ("user", "group", "groups"),
    [
        ("a", "system:authenticated", ["system:authenticated"]),
        ("b", "c", ["c", "system:authenticated"]),
    ],
)
def test_everybody_but_the_anonymous_is_authenticated_once(api, client, user, group, groups):
    headers = (f"Impersonate-User: {user}", f"Impersonate-Group: {group}")
    assert who(client, api.admin_token, headers=headers)["groups"] == groups


@pytest.mark.parametrize(
    "headers",
    [("Impersonate-Group: a",), ("Impersonate-Uid: a",), ("Impersonate-Extra-a: a",)],
)
def test_a_group_without_a_user_is_refused(api, client, headers):
    assert who(client, api.admin_token, headers=headers) == 400


def test_tokens_of_its_issuer_are_taken_and_wrong_ones_are_not():
    with (
        Issuer() as issuer,
        KubeAPI(issuer, username_claim="email") as api,
        contextlib.closing(Client(api)) as client,
    ):
        token = issuer.token(email="jane@x")
        assert who(client, token) == {
            "username": "jane@x",
            "groups": ["dev", "system:authenticated"],
        }
        assert who(client, token, headers=("Impersonate-User: bob",)) == 403
        assert who(client, issuer.token()) == 401
        for wrong in WRONG:
            assert who(client, issuer.token(email="jane@x", wrong=wrong)) == 401


@pytest.mark.parametrize("admin", [True, False])
def test_who_may_impersonate_is_told_so(admin):
    with Issuer() as issuer, KubeAPI(issuer) as api, contextlib.closing(Client(api)) as client:
        token = api.admin_token if admin else issuer.token()
        api.apply(ROLE)
        for verb, allowed in (("impersonate", admin), ("get", True)):
            body = {"spec": {"resourceAttributes": {"verb": verb, "resource": "users"}}}
            path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
            status, answer = client.call("POST", path, token, body=body)
            assert (status, answer["status"]["allowed"]) == (201, allowed)


# What it serves


def test_objects_are_made_read_and_removed_on_one_connection(api, client):
    token = api.admin_token
    path = "/api/v1/namespaces/demo/configmaps"
    body = {"metadata": {"name": "a"}, "data": {"x": "y"}}
    assert client.call("POST", path, token, body=body)[0] == 201
    assert client.call("GET", f"{path}/a", token)[1]["data"] == {"x": "y"}
    assert [each["metadata"]["name"] for each in client.call("GET", path, token)[1]["items"]] == [
        "a"
    ]
    assert client.call("GET", "/api/v1/configmaps", token)[1]["kind"] == "ConfigMapList"
    assert client.call("DELETE", f"{path}/a", token)[0] == 200
    status, answer = client.call("GET", f"{path}/a", token)
    assert (status, answer["reason"]) == (404, "NotFound")
    assert {request.connection for request in api.requests} == {1}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/namespaces/demo", 200),
        ("GET", "/version", 200),
        ("GET", "/api", 200),
        ("GET", "/apis", 200),
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/secrets", 200),
        ("GET", "/api/v1/passwords", 404),
        ("GET", "/api/v1/namespaces/demo/namespaces", 404),
        ("GET", "/api/v1/pods/web", 404),
        ("PATCH", f"{PODS}/web", 415),
        ("GET", f"{PODS}?labelSelector=a%20b", 400),
        ("GET", f"{PODS}?fieldSelector=spec.colour%3Dred", 400),
        ("GET", f"{PODS}?watch=1&resourceVersion=x", 400),
        ("GET", f"{PODS}?watch=1&resourceVersion=1000", 504),
        ("POST", PODS, 400),
    ],
)
def test_paths_have_their_answers(api, client, method, path, status):
    answer = client.call(method, path, api.admin_token)
    assert answer[0] == status
    assert status < 400 or answer[1]["kind"] == "Status"


def test_a_watch_tells_what_happens_until_its_time_is_over(api, client):
    client.request("GET", f"{PODS}?watch=true&timeoutSeconds=1", api.admin_token)
    assert client.head()[1]["transfer-encoding"] == "chunked"
    assert json.loads(client.chunk())["object"]["metadata"]["name"] == "web"
    api.apply({"kind": "Pod", "metadata": {"name": "late", "namespace": "demo"}})
    event = json.loads(client.chunk())
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "late")
    assert client.chunk() == b""
    assert client.call("GET", "/version", api.admin_token)[0] == 200


def test_a_watch_may_be_about_one_object(api, client):
    query = "watch=1&fieldSelector=metadata.name%3Dlate"
    client.request("GET", f"{PODS}?{query}", api.admin_token)
    assert client.head()[0] == 200
    for name in ("other", "late"):
        api.apply({"kind": "Pod", "metadata": {"name": name, "namespace": "demo"}})
    assert json.loads(client.chunk())["object"]["metadata"]["name"] == "late"


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ({"kind": "Car", "metadata": {"name": "a"}}, "no kind 'Car'; if it is a custom one"),
        ({"apiVersion": "v2", "kind": "Pod", "metadata": {"name": "a"}}, "no kind 'Pod' in 'v2'"),
        ({"metadata": {"name": "a"}}, "it has no kind"),
        ({"kind": "Pod", "metadata": {}}, "it has no metadata.name"),
        (
            [{"kind": "Pod", "metadata": {"name": "a", "namespace": "none"}}],
            "the Pod 'a' can't be applied: there is no namespace 'none'",
        ),
        (
            {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"colour": 1}},
            "the Pod 'a' can't be applied: unknown field \"spec.colour\"",
        ),
        ({"kind": "Pod", "metadata": {"name": "a"}, "spec": 1}, "cannot unmarshal number"),
        ({"kind": "Pod", "metadata": {"name": "A B"}}, "RFC 1123 subdomain"),
        ("a: [", "the manifest is no YAML"),
        (
            {"kind": "Secret", "metadata": {"name": "a"}, "data": {"b": "!!"}},
            "illegal base64 data at input byte 0",
        ),
        (None, "a manifest is YAML, an object or a list of objects, and not None"),
        (b"kind: Pod", "a manifest is YAML, an object or a list of objects"),
        (["web.yaml"], "is it the name of a file"),
        ({"kind": "Pod", "spec": {"a": {1}}}, "spec.a is set, which JSON has not"),
        (["a"], "no object: 'a'"),
    ],
)
def test_what_can_not_be_applied_is_said(api, manifest, why):
    with pytest.raises(HarnessError, match=re.escape(why)):
        api.apply(manifest)


@pytest.mark.parametrize("name", ["Pod", "pods", "pod", "po"])
def test_a_kind_has_the_names_that_kubectl_takes(api, name):
    api.apply({"kind": name, "metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}]}})
    found = api.find(name, "a")
    assert (found["apiVersion"], found["kind"]) == ("v1", "Pod")
    api.delete(name, "a")
    assert api.find("Pod", "a") is None


def test_objects_are_found_changed_and_deleted(api):
    api.apply({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}})
    made = api.find("ConfigMap", "a")
    api.apply({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "2"}})
    again = api.find("configmaps", "a")
    assert (made["data"], again["data"]) == ({"x": "1"}, {"x": "2"})
    assert made["metadata"]["uid"] == again["metadata"]["uid"]
    again["data"]["x"] = "3"  # a copy: nobody else sees this
    assert api.find("ConfigMap", "a")["data"] == {"x": "2"}
    api.delete("ConfigMap", "a")
    assert api.find("ConfigMap", "a") is None
    with pytest.raises(HarnessError, match="no ConfigMap called 'a' to delete"):
        api.delete("ConfigMap", "a")


def test_watches_end_after_a_whole_event(api, client):
    client.request("GET", f"{PODS}?watch=true", api.admin_token)
    client.head()
    assert json.loads(client.chunk())["object"]["metadata"]["name"] == "web"
    api.end_watches()
    assert client.chunk() == b""
    assert client.call("GET", "/version", api.admin_token)[0] == 200


def test_a_kubeconfig_says_where_and_who(api):
    config = yaml.safe_load(api.kubeconfig(token="t", server="https://proxy:1"))
    assert config["clusters"][0]["cluster"]["server"] == "https://proxy:1"
    assert config["users"][0]["user"] == {"token": "t"}
    assert yaml.safe_load(api.kubeconfig())["users"][0]["user"] == {"token": api.admin_token}
    with pytest.raises(HarnessError, match="a kubeconfig with an empty token is nobody's"):
        api.kubeconfig(token="")


# What it keeps


def test_requests_are_kept_byte_for_byte(api, client):
    api.on("/version", lambda exchange: exchange.respond(401))
    wire = (
        b"POST /version HTTP/1.1\r\nHost: a\r\nX_Odd: \xe4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;a=b\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"
    )
    client.send(wire)
    assert client.answer()[0] == 401
    (request,) = api.requests
    assert request.raw == wire
    assert (request.body, request.trailers) == (b"abc", (("X-T", "1"),))
    assert request.values("x_odd") == ["\xe4"]
    assert request.complete


def test_a_body_is_seen_while_it_comes(api, client):
    client.send(b"POST /version HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
    api.until(lambda: api.requests and api.requests[0].body == b"ab")
    assert not api.requests[0].complete
    client.send(b"cd")
    api.until(lambda: api.requests[0].complete)


def test_what_does_not_happen_is_an_error(api):
    with pytest.raises(TimeoutError, match=r"within 0\.01 seconds"):
        api.until(lambda: api.requests, timeout=0.01)
    with pytest.raises(ZeroDivisionError):
        api.until(lambda: 1 / 0)


def test_pipelined_requests_are_answered_in_order(api, client):
    gate = threading.Event()

    def later(exchange):
        threading.Thread(target=lambda: (gate.wait(), exchange.respond(200, "one"))).start()

    api.on("/one", later)
    api.on("/two", lambda exchange: exchange.respond(200, "two"))
    client.send(b"GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n")
    api.until(lambda: api.requests)
    assert [request.path for request in api.requests] == ["/one"]
    gate.set()
    assert [client.answer()[1] for _ in range(2)] == [b"one", b"two"]


def test_what_is_not_strictly_http_is_refused_and_kept(api, client):
    hidden = b"0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
    client.send(
        b"POST /version HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + hidden
    )
    assert client.answer()[0] == 400
    assert client.reader.read() == b""
    assert api.requests == []
    (refused,) = api.refused
    assert "Content-Length and Transfer-Encoding" in refused.reason
    assert refused.raw.endswith(hidden)


def test_a_broken_body_is_refused_with_its_head(api, client):
    head = b"POST /version HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.send(head + b"nonsense\r\n")
    assert client.answer()[0] == 400
    assert client.reader.read() == b""
    assert api.refused[0].raw == head + b"nonsense\r\n"
    assert not api.requests[0].complete


def test_a_body_that_breaks_after_the_answer_ends_the_connection(api, client):
    api.on("/version", lambda exchange: exchange.respond(401))
    client.send(b"POST /version HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert client.answer()[0] == 401
    client.send(b"nonsense\r\n")
    assert client.reader.read() == b""
    assert "not a chunk size" in api.refused[0].reason


def test_a_client_may_ask_for_the_end_of_the_connection(api, client):
    client.request("GET", "/version", api.admin_token, headers=("Connection: x, Close",))
    assert client.answer()[0] == 200
    assert client.reader.read() == b""


def test_it_says_continue_to_who_waits_for_it(api, client):
    client.request(
        "POST", REVIEW, api.admin_token, headers=("Expect: 100-continue", "Content-Length: 2")
    )
    assert client.head() == (100, {})
    client.send(b"{}")
    assert client.answer()[0] == 201


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/namespaces/default/configmaps", 406),
        ("GET", "/api/v1/namespaces/default/configmaps?watch=1", 406),
        ("GET", "/api/v1/namespaces/default/configmaps/none", 406),
        ("DELETE", "/api/v1/namespaces/default/configmaps/a", 406),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 406),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/version", 200),
    ],
)
def test_who_takes_no_json_gets_no_objects(api, client, method, path, status):
    api.apply({"kind": "ConfigMap", "metadata": {"name": "a"}})
    client.request(method, path, api.admin_token, ("Accept: application/xml",), {})
    answered, body = client.answer()
    assert answered == status
    assert status != 406 or json.loads(body)["reason"] == "NotAcceptable"
    assert api.find("ConfigMap", "a") is not None


@pytest.mark.parametrize("levels", [450, 1500, 100_000])
@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("POST", "/api/v1/namespaces/default/configmaps", "application/json"),
        ("POST", "/api/v1/namespaces/default/configmaps", "application/yaml"),
        ("PATCH", "/api/v1/namespaces/default/configmaps/a", "application/merge-patch+json"),
        ("DELETE", "/api/v1/namespaces/default/configmaps/a", "application/json"),
        ("POST", REVIEW, "application/json"),
    ],
)
def test_a_body_that_is_nested_too_deeply_is_refused(api, client, method, path, named, levels):
    api.apply({"kind": "ConfigMap", "metadata": {"name": "a"}})
    body = b'{"data": ' + b"[" * levels + b"]" * levels + b"}"
    fields = (f"Content-Type: {named}", f"Content-Length: {len(body)}")
    client.request(method, path, api.admin_token, fields)
    client.send(body)
    status, answer = client.answer()
    assert status in (200, 201, 400, 422) if levels == 450 else status == 400
    if levels == 100_000:
        assert json.loads(answer)["message"].startswith("exceeded max depth: the request's body ")
    assert client.call("GET", "/version", api.admin_token)[0] == 200


# What goes wrong on purpose


def test_a_fault_is_a_status_as_often_as_asked(api, client):
    api.fail("/version", status=429, times=1, headers=(("Retry-After", "1"),))
    client.request("GET", "/version", api.admin_token)
    status, fields = client.head()
    assert (status, fields["retry-after"]) == (429, "1")
    body = json.loads(client.reader.read(int(fields["content-length"])))
    assert body["reason"] == "TooManyRequests"
    assert client.call("GET", "/version", api.admin_token)[0] == 200


def test_a_reset_is_one(api):
    api.fail(reset=True, times=1)
    with contextlib.closing(Client(api)) as client:
        client.request("GET", "/version", api.admin_token)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            client.reader.read()
    api.until(lambda: api.connections == 0)


def test_a_test_writes_the_bytes_of_an_answer(api, client):
    api.on("/raw/*", lambda exchange: b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nhi")
    for _ in range(2):
        client.request("GET", "/raw/a")
        assert client.answer() == (200, b"hi")

    def cut(exchange):
        exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi")
        exchange.close()

    api.on("/raw/cut", cut)
    client.request("GET", "/raw/cut")
    client.head()
    assert client.reader.read() == b"hi"


def test_a_test_answers_in_its_own_time_from_its_own_thread(api, client):
    exchanges = []
    api.on("/slow", exchanges.append)
    client.request("GET", "/slow")
    api.until(lambda: exchanges)
    exchanges[0].begin(200)
    client.head()
    for data in (b"one", b"two"):
        exchanges[0].send(data)
        assert client.chunk() == data
    exchanges[0].end()
    assert client.chunk() == b""


def test_an_answer_may_lie_about_its_length(api, client):
    api.on("/lie", lambda exchange: exchange.respond(200, "hi", (("Content-Length", "1"),)))
    client.request("GET", "/lie")
    assert client.answer() == (200, b"h")


def test_a_handler_is_told_when_the_client_goes(api):
    told = []

    async def wait(exchange):
        exchange.when_gone(lambda: told.append("gone"))
        with pytest.raises(ConnectionError):
            await exchange.whole()
        exchange.when_gone(lambda: told.append("is gone"))

    api.on("/x", wait)
    with contextlib.closing(Client(api)) as client:
        client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        api.until(lambda: api.requests)
    api.until(lambda: len(told) == 2)
    assert set(told) == {"gone", "is gone"}


def test_what_a_handler_raises_fails_the_test():
    def broken(exchange):
        raise LookupError("mine")

    def use():
        with KubeAPI() as api, contextlib.closing(Client(api)) as client:
            api.on("/x", broken)
            client.request("GET", "/x")
            with pytest.raises((ConnectionError, ssl.SSLError)):
                client.reader.read()

    with pytest.raises(LookupError, match="mine"):
        use()


def test_a_handler_feels_a_slow_reader_and_can_be_a_slow_one(api, client):
    sent, total = [], 64 << 20
    stalled = threading.Event()

    async def flood(exchange):
        exchange.begin(200)
        while sum(sent) < total:
            exchange.send(bytes(1 << 16))
            sent.append(1 << 16)
            drained = exchange.drained()
            if not drained.called:
                stalled.set()
            await drained
        exchange.end()

    api.on("/flood", flood)
    client.request("GET", "/flood")
    assert stalled.wait(10)
    assert sum(sent) < total
    client.head()
    received = 0
    while data := client.chunk():
        received += len(data)
    assert received == total


# Tunnels


def echo(exchange):
    exchange.tunnel(exchange.request.header("Upgrade"), exchange.write)


def test_an_upgrade_becomes_a_tunnel_of_a_handlers(api, client):
    api.on("*/exec", echo)
    headers = ("Connection: keep-alive, Upgrade", "Upgrade: SPDY/3.1")
    early = b"in one piece with the head"
    fields = [*headers, f"Authorization: Bearer {api.admin_token}", "Host: a", "", ""]
    head = "\r\n".join([f"POST {PODS}/web/exec?command=sh HTTP/1.1", *fields])
    client.send(head.encode() + early)
    status, fields = client.head()
    assert (status, fields["upgrade"]) == (101, "SPDY/3.1")
    assert client.reader.read(len(early)) == early
    for data in (b"\0\xff raw", b"GET / HTTP/1.1\r\n\r\n"):
        client.send(data)
        assert client.reader.read(len(data)) == data
    assert api.requests[0].tunnelled == early + b"\0\xff rawGET / HTTP/1.1\r\n\r\n"
    assert len(api.requests) == 1


def test_a_tunnel_waits_for_a_slow_reader_and_loses_nothing(api):
    api.on("*/portforward", echo)
    data = bytes(range(256)) * (32 << 10)  # more than the buffers on the way hold
    with contextlib.closing(socket.create_connection(("127.0.0.1", api.port), timeout=10)) as raw:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cadata=api.ca_pem)
        tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")

        def pump(action, *given):
            while True:
                try:
                    return action(*given)
                except ssl.SSLWantReadError:
                    if outgoing.pending:
                        raw.sendall(outgoing.read())
                    incoming.write(raw.recv(1 << 16))

        pump(tls.do_handshake)
        head = (
            f"POST {PODS}/web/portforward HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
            f"Upgrade: x\r\nAuthorization: Bearer {api.admin_token}\r\n\r\n"
        )
        tls.write(head.encode())
        assert b" 101 " in pump(tls.read, 1 << 16)
        tls.write(data)
        # The one thread touches only the socket: a TLS connection is not for two.
        sender = threading.Thread(target=raw.sendall, args=(outgoing.read(),))
        sender.start()
        with pytest.raises(TimeoutError):
            api.until(lambda: len(api.requests[0].tunnelled) == len(data), timeout=1)
        received = bytearray()
        while len(received) < len(data):
            received += pump(tls.read, 1 << 16)
        sender.join()
    assert received == data


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"{PODS}/web/exec", (), 400),
        (f"{PODS}/web/exec", ("Upgrade: x",), 400),
        (f"{PODS}/none/exec", ("Upgrade: x", "Connection: Upgrade"), 404),
    ],
)
def test_without_an_upgrade_or_a_pod_there_is_no_tunnel(api, client, path, headers, status):
    assert client.call("POST", path, api.admin_token, headers=headers)[0] == status
    assert client.call("GET", "/version", api.admin_token)[0] == 200


# Life


def test_a_stop_ends_connections_and_watches_and_a_start_brings_it_back(api, client):
    client.request("GET", f"{PODS}?watch=1", api.admin_token)
    client.head()
    client.chunk()
    api.stop()
    with pytest.raises((ConnectionError, ssl.SSLError)):
        client.reader.read()
    with pytest.raises(ConnectionRefusedError):
        Client(api)
    api.start()
    with contextlib.closing(Client(api)) as again:
        assert again.call("GET", f"{PODS}/web", api.admin_token)[0] == 200


@pytest_twisted.ensureDeferred
async def test_on_a_reactor_of_the_tests_own_everything_is_awaited():
    from twisted.internet import reactor
    from twisted.internet.threads import deferToThread

    def call(api):
        with contextlib.closing(Client(api)) as client:
            return client.call("GET", "/version", api.admin_token)[0]

    async with KubeAPI(reactor=reactor) as api:
        api.apply(DEMO)
        assert await deferToThread(call, api) == 200
        await api.until(lambda: api.connections == 0)
        with pytest.raises(TimeoutError):
            await api.until(lambda: False, timeout=0.01)
        await api.stop()
        await api.start()
        assert await deferToThread(call, api) == 200
    with pytest.raises(HarnessError, match="async with"), KubeAPI(reactor=reactor):
        pass
