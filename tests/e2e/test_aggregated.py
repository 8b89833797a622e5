"""An aggregated API, whose server gives an early answer (RFC 8297), which the API server passes on.

A trailer from there is not tried: kube-apiserver drops it.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from e2e.running import Side, connected
from localcluster import docker
from localcluster.cluster import Cluster
from localcluster.pki import Authority
from localcluster.processes import wait_until
from support.running import request

GROUP = "pages.example.com"
API = f"/apis/{GROUP}/v1"
RESOURCES = json.dumps(
    {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/v1", "resources": []}
).encode()


class Pages(BaseHTTPRequestHandler):
    """Gives a page with an early answer, and says that it is an API of no resources."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        body = RESOURCES
        if self.path == f"{API}/page":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
            body = b"the page"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def pages(cluster: Cluster, authority: Authority, through: Side) -> Iterator[None]:
    """The API of `Pages`, registered with the API server."""
    if docker.works():
        pytest.skip("the API server in Docker does not reach a server of this process")
    pair = authority.server("pages")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        register(cluster, server.server_port)

        def reached() -> bool:
            with through.ask(f"{API}/else") as answer:
                return answer.status == 200

        try:
            wait_until(reached, "the API server passes requests on to the pages")
            yield
        finally:
            cluster.admin("delete", "apiservice", f"v1.{GROUP}")
            server.shutdown()
            thread.join()


def register(cluster: Cluster, port: int) -> None:
    service = {"name": "pages", "namespace": "koproxy"}
    cluster.admin.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": service,
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"v1.{GROUP}"},
            "spec": {
                "group": GROUP,
                "version": "v1",
                "groupPriorityMinimum": 1000,
                "versionPriority": 1,
                "insecureSkipTLSVerify": True,
                "service": {**service, "port": port},
            },
        },
    )
    group = "rbac.authorization.k8s.io"
    cluster.admin.apply(
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "pages"},
            "rules": [{"apiGroups": [GROUP], "resources": ["*"], "verbs": ["list"]}],
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "pages"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "pages"},
            "subjects": [{"apiGroup": group, "kind": "Group", "name": "system:authenticated"}],
        },
    )


@pytest.mark.usefixtures("pages")
def test_an_early_answer_comes_before_the_answer(through: Side, direct: Side) -> None:
    for side in (direct, through):
        with connected(side) as client:
            client.send(request("GET", f"{API}/page", side.token))
            status, early = client.head()
            assert (status, early["link"]) == (103, "</style.css>; rel=preload")
            assert client.answer() == (200, b"the page")
            assert client.get("/healthz", side.token) == (200, b"ok")
