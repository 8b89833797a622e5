"""Health over plain HTTP: is the process alive, and may requests come.

Follows Kubernetes' "API health endpoints": ``/livez`` and ``/readyz``, with ``?verbose`` for every
check in a line of its own, and kube-oidc-proxy's ``/ready``. It shows sentences, never a secret.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs

from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: ``problem`` is a sentence, or None if all is well.

    One that isn't ``required`` is only shown: requests may come all the same.
    """

    name: str
    problem: str | None
    required: bool = True


Checks = Callable[[], Iterable[Check]]
"""Looks at everything."""


class _Answer(Resource):
    isLeaf = True

    def __init__(self, checks: Checks) -> None:
        super().__init__()
        self._checks = checks

    def render_GET(self, request: Request) -> bytes:
        """Run the checks: 200 if every required one holds, else 503 with the reasons."""
        found = list(self._checks())
        failed = [check for check in found if check.required and check.problem]
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        request.setResponseCode(503 if failed else 200)
        lines = []
        # Twisted's own reading leaves out a name without a value.
        query = parse_qs(request.uri.partition(b"?")[2], keep_blank_values=True)
        if b"verbose" in query:
            for check in found:
                sign = "+" if check.problem is None else "-" if check.required else "!"
                lines.append(f"[{sign}]{check.name} {check.problem or 'ok'}")
            lines.append("not ready" if failed else "ready")
        elif failed:
            lines = [f"{check.name}: {check.problem}" for check in failed]
        else:
            lines = ["ok"]
        return "\n".join(lines).encode() + b"\n"


class _Root(Resource):
    def getChild(self, _path: bytes, _request: Request) -> IResource:
        """Say that there is nothing here, to whoever asks for something else."""
        return notFound()


def health_site(ready: Checks, metrics: IResource) -> Site:
    """The web site of the probe port: ``/livez`` has nothing to check but that it answers.

    ``metrics`` is the page for Prometheus.
    """
    root = _Root()
    root.putChild(b"livez", _Answer(tuple))
    for path in (b"ready", b"readyz"):
        root.putChild(path, _Answer(ready))
    root.putChild(b"metrics", metrics)
    site = Site(root)
    site.noisy = False
    return site
