"""Health over plain HTTP: is the process alive, and may requests come.

Follows Kubernetes' "API health endpoints": ``/livez`` and ``/readyz``, with ``?verbose`` for every
check in a line of its own, and kube-oidc-proxy's ``/ready``. It shows sentences, never a secret.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at: ``problem()`` gives a sentence, or None if all is well.

    One that isn't ``required`` is only shown: requests may come all the same.
    """

    name: str
    problem: Callable[[], str | None]
    required: bool = True


class _Answer(Resource):
    isLeaf = True

    def __init__(self, checks: tuple[Check, ...]) -> None:
        super().__init__()
        self._checks = checks

    def render_GET(self, request: Request) -> bytes:
        """Run the checks: 200 if every required one holds, else 503 with the reasons."""
        found = [(check, check.problem()) for check in self._checks]
        failed = [(check, problem) for check, problem in found if check.required and problem]
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        request.setResponseCode(503 if failed else 200)
        lines = []
        # Twisted's own reading leaves out a name without a value.
        query = parse_qs(request.uri.partition(b"?")[2], keep_blank_values=True)
        if b"verbose" in query:
            for check, problem in found:
                sign = "+" if problem is None else "-" if check.required else "!"
                lines.append(f"[{sign}]{check.name} {problem or 'ok'}")
            lines.append("not ready" if failed else "ready")
        elif failed:
            lines = [f"{check.name}: {problem}" for check, problem in failed]
        else:
            lines = ["ok"]
        return "\n".join(lines).encode() + b"\n"


class _Root(Resource):
    def getChild(self, _path: bytes, _request: Request) -> IResource:
        """Say that there is nothing here, to whoever asks for something else."""
        return notFound()


def health_site(ready: tuple[Check, ...]) -> Site:
    """The web site of the probe port: ``/livez`` has nothing to check but that it answers."""
    root = _Root()
    root.putChild(b"livez", _Answer(()))
    for path in (b"ready", b"readyz"):
        root.putChild(path, _Answer(ready))
    site = Site(root)
    site.noisy = False
    return site
