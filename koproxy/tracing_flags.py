"""``--tracing-config-file``: Kubernetes' TracingConfiguration, as kube-apiserver has it.

https://kubernetes.io/docs/concepts/cluster-administration/system-traces/. OpenTelemetry is only
loaded where it is asked for, and need not be installed elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorThreads
from twisted.internet.threads import deferToThreadPool

from koproxy.configuration.decoding import Schema, decode
from koproxy.configuration.problems import Problem, invalid, refusal, with_line
from koproxy.errors import ConfigurationError
from koproxy.files import read_named
from koproxy.settings import Settings

if TYPE_CHECKING:
    from koproxy.observe.tracing import Tracing

_FLAG = "--tracing-config-file"
_ENDPOINT = "localhost:4317"
_MILLION = 1_000_000
_SCHEMES = ("dns", "unix", "unix-abstract")


@dataclass(frozen=True, slots=True)
class TracingConfiguration:
    """The whole file."""

    endpoint: str | None = None
    sampling_rate: int | None = field(default=None, metadata={"name": "samplingRatePerMillion"})


SCHEMA = Schema(
    "TracingConfiguration",
    tuple(f"apiserver.config.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1")),
    TracingConfiguration,
)


class _Exporting(Service):
    """Has what is left exported at the end, off the reactor's thread."""

    def __init__(self, provider: Any, reactor: Any) -> None:
        self._provider = provider
        self._reactor = reactor

    def stopService(self) -> Deferred[None]:
        super().stopService()
        pool = self._reactor.getThreadPool()
        return deferToThreadPool(self._reactor, pool, self._provider.shutdown)


def make_tracing(settings: Settings, threads: IReactorThreads) -> "tuple[Tracing, Service] | None":
    """Make what tells of requests, and what exports; None without the flag.

    Raises ConfigurationError.
    """
    if not settings.tracing_config_file:
        return None
    given = read_tracing(settings)
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import (  # noqa: PLC0415
            ALWAYS_OFF,
            ParentBased,
            TraceIdRatioBased,
        )

        from koproxy.observe.tracing import Tracing  # noqa: PLC0415
    except ImportError as problem:
        raise ConfigurationError(
            f"{_FLAG} needs OpenTelemetry, which is not installed ({problem.name}): install "
            "koproxy[tracing]"
        ) from None
    rate = given.sampling_rate
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(rate / _MILLION) if rate else ALWAYS_OFF),
        resource=Resource.create({"service.name": "koproxy"}),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=given.endpoint or _ENDPOINT, insecure=True, timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider), _Exporting(provider, threads)


def read_tracing(settings: Settings) -> TracingConfiguration:
    """Read the file, if there is one; raises ConfigurationError with all that is wrong with it."""
    file = settings.tracing_config_file
    if not file:
        return TracingConfiguration()
    where = f"{_FLAG} {file}"
    decoded = decode(read_named(where, file), SCHEMA)
    if decoded.configuration is None:
        raise refusal(where, decoded.problems)
    problems = [with_line(each, decoded.lines) for each in _problems(decoded.configuration)]
    if problems:
        raise refusal(where, problems)
    return decoded.configuration


def _problems(given: TracingConfiguration) -> Iterator[Problem]:
    rate, endpoint = given.sampling_rate, given.endpoint
    if rate is not None and not 0 <= rate <= _MILLION:
        yield invalid("samplingRatePerMillion", str(rate), "it has to be from 0 to a million")
    if endpoint is not None and "//" in endpoint:
        scheme = endpoint.partition(":")[0]
        if scheme not in _SCHEMES:
            why = f"it has to be HOST:PORT, or a URL of {', '.join(_SCHEMES)}"
            yield invalid("endpoint", endpoint, why)
