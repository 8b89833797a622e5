"""The API server as those meet it who show a credential of their own.

Connections that were made with the proxy's client certificate are the proxy, whatever is sent on
them. So what is passed on as a client's own goes on connections made by this, from a pool of their
own, and may go on no other.
"""

import ssl

from koproxy.sources.credential import Upstream


class WithoutCredential:
    """The address and the authorities of an ``Upstream``, and nothing of the proxy's credential."""

    authorization = b""
    problem = None

    def __init__(self, upstream: Upstream) -> None:
        """Take whose address it is; its authorities are followed when they change."""
        self._upstream = upstream
        self.host = upstream.host
        self.port = upstream.port
        self.server_name = upstream.server_name
        self.path_prefix = upstream.path_prefix

    @property
    def tls(self) -> ssl.SSLContext:
        """Its authorities alone; another object once they have changed."""
        return self._upstream.bare_tls
