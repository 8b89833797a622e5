"""twisted.web and its Agent (``bench/twistedweb``)."""

import sys
from pathlib import Path

from bench.caller import CLIENT_ID
from bench.contestants import Ring, Running

_PROGRAM = Path(__file__).parent.parent / "twistedweb" / "proxy.py"


class TwistedWeb:
    """What Twisted's own HTTP costs."""

    name = "twisted.web"
    verifies = True
    everywhere = True

    def start(self, ring: Ring) -> Running:
        """Start it."""
        upstream, name = ring.upstream, ring.name(self.name)
        pair = ring.authority.certificate(name)
        program = ring.programs.start(
            name,
            [
                *(sys.executable, _PROGRAM),
                *("--tls-cert-file", pair.certificate, "--tls-private-key-file", pair.key),
                *("--upstream", f"https://{upstream.address}"),
                *("--upstream-ca-file", upstream.authority),
                *("--credential-file", ring.write(f"{name}-credential", upstream.credential)),
                *("--issuer", ring.issuer_url, "--issuer-ca-file", ring.issuer_ca),
                *("--client-id", CLIENT_ID),
            ],
            ring.core,
        )
        return Running(program, program.port(r"^serving https on \S+:(\d+)$"))
