"""The TLS contexts that clients are served with: one for each certificate, made anew on a change.

A connection keeps the context that it began with. Which certificate a client gets is
:mod:`koproxy.serving.names`'s to say; no file is read here.
"""

import socket
import ssl
from collections.abc import Sequence

from cryptography import x509

from koproxy import pem
from koproxy.serving.names import ServerNames
from koproxy.serving.protocol import Protocol
from koproxy.serving.unraisable import pass_over_names

Pair = tuple[bytes, bytes]
"""A certificate with those between it and its authority, and its key, in PEM."""

# X509_V_FLAG_NO_CHECK_TIME, which Python has no name for: a certificate that has ended gets an
# answer that says so (koproxy.identity.certificate), not a broken handshake.
_NO_CHECK_TIME = 0x200000


class Contexts:
    """Shows one of several certificates, and asks clients for theirs if there are authorities.

    The first place is for clients that ask for no name of the others.
    """

    def __init__(self, protocol: Protocol, patterns: Sequence[Sequence[str]] = ()) -> None:
        """Take the names that the flag gives for each place after the first."""
        self._protocol = protocol
        self._patterns: tuple[Sequence[str], ...] = ((), *patterns)
        self._pairs: dict[int, tuple[Pair, str, str]] = {}
        self._contexts: dict[int, ssl.SSLContext] = {}
        self._leaves: dict[int, x509.Certificate] = {}
        self._authorities: tuple[bytes, str] | None = None
        self._names = ServerNames((), ())
        if patterns:
            pass_over_names()

    def show(self, place: int, pair: Pair, where: str, key_where: str) -> x509.Certificate:
        """Show a pair from the next connection on; gives its certificate.

        ``where`` and ``key_where`` name the flags and files. Raises ConfigurationError, and changes
        nothing then.
        """
        context, leaf = self._make(pair, where, key_where, self._authorities)
        self._pairs[place] = pair, where, key_where
        self._contexts[place] = context
        self._leaves[place] = leaf
        if len(self._contexts) == len(self._patterns):
            places = range(len(self._patterns))
            self._names = ServerNames(self._patterns, [self._leaves[each] for each in places])
        return leaf

    def ask(self, authorities: bytes, where: str) -> None:
        """Ask clients for a certificate of these authorities (PEM), from the next connection on.

        Raises ConfigurationError, and changes nothing then.
        """
        asking = authorities, where
        made = {place: self._make(*pair, asking)[0] for place, pair in self._pairs.items()}
        self._authorities = asking
        self._contexts = made

    def choose(self, connected: socket.socket) -> ssl.SSLContext:
        """Give the context for a new connection; the name that it asks for may change it."""
        if not self._names.by_address:
            return self._contexts[0]
        return self._contexts[self._names.find_address(connected.getsockname()[0])]

    def _make(
        self, pair: Pair, where: str, key_where: str, asking: tuple[bytes, str] | None
    ) -> tuple[ssl.SSLContext, x509.Certificate]:
        context = self._protocol.context()
        leaf = pem.identify(context, *pair, where, key_where)
        if asking is not None:
            pem.trust(context, *asking)
            context.verify_mode = ssl.CERT_OPTIONAL
            # As in Go, any certificate in the file is an authority, one of another's too.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
            # A ticket has no room for the certificates between a client's and its authority's.
            context.options |= ssl.OP_NO_TICKET
            context.num_tickets = 0
        if len(self._patterns) > 1:
            context.sni_callback = self._asked
        return context, leaf

    def _asked(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Called in a handshake, with the name that the client asks for."""
        if name:
            connection.context = self._contexts[self._names.find(name)]
