"""Go's httputil.ReverseProxy with go-oidc before it (``bench/reverseproxy``), in three ways."""

from pathlib import Path

from bench.authority import ADDRESS
from bench.builds import GO_ENVIRONMENT
from bench.caller import CLIENT_ID
from bench.contestants import Ring, Running


class ReverseProxy:
    """One way to set up its transport to the upstream."""

    verifies = True

    everywhere = True

    def __init__(
        self, program: Path, name: str, *, idle: int | None = None, http2: bool = False
    ) -> None:
        """``idle``: how many idle connections it keeps, if not Go's default, which is 2."""
        self.name = name
        self._program = program
        self._flags = ["-http2"] if http2 else []
        if idle is not None:
            self._flags += ["-max-idle-conns-per-host", str(idle)]
        self._http2 = http2

    def start(self, ring: Ring) -> Running:
        """Start it."""
        upstream, name = ring.upstream, ring.name(self.name)
        pair = ring.authority.certificate(name)
        address = upstream.http2_address if self._http2 else upstream.address
        program = ring.programs.start(
            name,
            [
                *(self._program, "-listen", f"{ADDRESS}:0"),
                *("-tls-cert-file", pair.certificate, "-tls-private-key-file", pair.key),
                *("-upstream", f"https://{address}", "-upstream-ca-file", upstream.authority),
                *("-credential-file", ring.write(f"{name}-credential", upstream.credential)),
                *("-issuer", ring.issuer_url, "-issuer-ca-file", ring.issuer_ca),
                *("-client-id", CLIENT_ID, *self._flags),
            ],
            ring.core,
            GO_ENVIRONMENT,
        )
        return Running(program, program.port(r"^serving https on \S+:(\d+)$"))
