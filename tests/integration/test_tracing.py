"""Spans that a collector gets of koproxy as people run it."""

import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from koproxy_harness import Issuer, KubeAPI
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from support.running import PEOPLE_MAY_LOOK, SECONDS, SERVE, Client, Running, flags, koproxy

PODS = "/api/v1/namespaces/demo/pods"
HEAD = "apiVersion: apiserver.config.k8s.io/v1beta1\nkind: TracingConfiguration\n"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps spans."""

    def __init__(self) -> None:
        self.spans: queue.Queue[Any] = queue.Queue()

    def Export(self, request: Any, _context: Any) -> Any:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.put((resource.resource, span))
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[Collector, int]]:
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield collector, port
    server.stop(None).wait()


def test_a_collector_gets_spans_also_of_the_last_requests(
    collector: tuple[Collector, int], tmp_path: Path
) -> None:
    kept, port = collector
    file = tmp_path / "tracing.yaml"
    file.write_text(f"{HEAD}endpoint: 127.0.0.1:{port}\nsamplingRatePerMillion: 1000000\n")
    with Issuer() as issuer, KubeAPI() as api:
        api.apply(PEOPLE_MAY_LOOK)
        with koproxy(issuer, api, tmp_path, f"--tracing-config-file={file}") as running:
            client = Client(running.port, tmp_path / "kube-oidc-proxy.crt")
            assert client.get(PODS, issuer.token(groups=["dev"]))[0] == 200
            client.close()
        resource, span = kept.spans.get(timeout=SECONDS)
        (reached,) = [each for each in api.requests if each.path == PODS]
    assert span.name == "list pods"
    assert f"traceparent: 00-{span.trace_id.hex()}-{span.span_id.hex()}-01" in reached.raw.decode()
    assert ("service.name", "koproxy") in [
        (each.key, each.value.string_value) for each in resource.attributes
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("samplingRatePerMillion: 1000001\n", "line 3: samplingRatePerMillion: Invalid value"),
        ("endpoint: http://localhost\n", "it has to be HOST:PORT, or a URL of dns, unix"),
        ("endpoin: localhost:4317\n", "unknown field: the file has endpoint, sampling"),
        ("samplingRatePerMillion: many\n", "it has to be a number, and is a string"),
        ("samplingRatePerMillion: 0x_\n", "it has to be a number, and can't be read as one"),
    ],
)
def test_what_can_not_work_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "tracing.yaml"
    file.write_text(HEAD + text)
    with Issuer() as issuer, KubeAPI() as api:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(api.kubeconfig())
        serve = [*SERVE, *flags(issuer, kubeconfig, tmp_path), f"--tracing-config-file={file}"]
        running = Running(serve, tmp_path)
        assert running.process.wait(SECONDS) == 2
        running.end()
    assert len(running.lines) == 1
    assert words in running.lines[0]
