"""koproxy's job as twisted.web and its Agent do it, with PyJWT looking at every request's token.

A program of its own, of the shortest kind: uploads are read whole by twisted.web before they go
on, and upgrades are answered like any other request.
"""

import argparse
import json
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import jwt
from twisted.internet import reactor
from twisted.internet.endpoints import SSL4ServerEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import Certificate as TrustedCertificate
from twisted.internet.ssl import DefaultOpenSSLContextFactory, trustRootFromCertificates
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    BrowserLikePolicyForHTTPS,
    FileBodyProducer,
    HTTPConnectionPool,
    ResponseDone,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

_HOP_BY_HOP = {
    b"authorization",
    b"connection",
    b"content-length",
    b"host",
    b"keep-alive",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
"""What the next connection gets anew, if at all."""


class Verifier:
    """Tokens of one issuer for one client."""

    def __init__(self, issuer: str, ca_file: Path, client_id: str) -> None:
        context = ssl.create_default_context(cafile=ca_file)
        discovery = f"{issuer}/.well-known/openid-configuration"
        with urllib.request.urlopen(discovery, context=context) as answer:
            keys = jwt.PyJWKClient(json.load(answer)["jwks_uri"], ssl_context=context)
        self._keys = {key.key_id: key for key in keys.get_signing_keys()}
        self._issuer, self._client_id = issuer, client_id

    def claims(self, token: str) -> dict[str, Any]:
        """Give a token's claims; raises :class:`jwt.InvalidTokenError`."""
        key = self._keys.get(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise jwt.InvalidTokenError("no such key")
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=self._client_id,
            issuer=self._issuer,
            options={"require": ["exp", "sub"]},
        )


class PassOn(Protocol):
    """An answer's body on its way to the client, as fast as the client takes it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._client: Any = request.transport
        self._gone = False

    def connectionMade(self) -> None:
        """Have the upstream paused while the client is slow, and cut when the client is gone."""
        self._request.registerProducer(self.transport, True)
        self._request.notifyFinish().addErrback(self._cut)

    def _cut(self, _: Failure) -> None:
        self._gone = True
        if self.transport is not None:
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """Pass it on."""
        self._request.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End the answer as it ended here: whole, or cut."""
        if self._gone:
            return
        self._request.unregisterProducer()
        if reason.check(ResponseDone):
            self._request.finish()
        else:
            self._client.abortConnection()


class Proxy(Resource):
    """Every path."""

    isLeaf = True

    def __init__(self, verifier: Verifier, agent: Agent, upstream: str, credential: str) -> None:
        super().__init__()
        self._verifier, self._agent = verifier, agent
        self._upstream, self._authorization = upstream.encode(), f"Bearer {credential}".encode()

    def render(self, request: Request) -> int | bytes:
        """Verify, swap the headers, and ask the upstream."""
        scheme, _, token = (request.getHeader("authorization") or "").partition(" ")
        try:
            claims = self._verifier.claims(token if scheme.lower() == "bearer" else "")
        except jwt.InvalidTokenError:
            request.setResponseCode(401)
            return b"Unauthorized"
        headers = Headers()
        for name, values in request.requestHeaders.getAllRawHeaders():
            if name.lower().startswith(b"impersonate-"):
                request.setResponseCode(403)
                return b"Impersonation requests are disabled"
            if name.lower() not in _HOP_BY_HOP:
                headers.setRawHeaders(name, values)
        headers.setRawHeaders(b"Authorization", [self._authorization])
        headers.setRawHeaders(b"Impersonate-User", [claims["sub"].encode()])
        headers.setRawHeaders(
            b"Impersonate-Group", [group.encode() for group in claims.get("groups", [])]
        )
        headers.setRawHeaders(b"X-Forwarded-For", [request.getClientAddress().host.encode()])
        has_body = request.method in {b"POST", b"PUT", b"PATCH"}
        asked = self._agent.request(
            request.method,
            self._upstream + request.uri,
            headers,
            FileBodyProducer(request.content) if has_body else None,
        )
        gone = request.notifyFinish()
        gone.addErrback(lambda _: asked.cancel())
        asked.addCallback(_answer, request)
        asked.addErrback(_fail, request)
        return NOT_DONE_YET


def _answer(response: IResponse, request: Request) -> None:
    request.setResponseCode(response.code, response.phrase)
    for name, values in response.headers.getAllRawHeaders():
        if name.lower() not in _HOP_BY_HOP - {b"content-length"}:
            request.responseHeaders.setRawHeaders(name, values)
    if isinstance(response.length, int):
        request.responseHeaders.setRawHeaders(b"content-length", [b"%d" % response.length])
    response.deliverBody(PassOn(request))


def _fail(failure: Failure, request: Request) -> None:
    if not request._disconnected:
        request.setResponseCode(502)
        request.write(failure.getErrorMessage().encode())
        request.finish()


def main() -> None:
    """Serve until somebody ends it."""
    parser = argparse.ArgumentParser()
    for name in ("tls-cert-file", "tls-private-key-file", "upstream-ca-file", "issuer-ca-file"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--credential-file", type=Path, required=True)
    for name in ("upstream", "issuer", "client-id"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()

    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = 1000
    pool.retryAutomatically = False
    trust = trustRootFromCertificates(
        [TrustedCertificate.loadPEM(options.upstream_ca_file.read_text())]
    )
    proxy = Proxy(
        Verifier(options.issuer, options.issuer_ca_file, options.client_id),
        Agent(reactor, BrowserLikePolicyForHTTPS(trust), pool=pool),
        options.upstream,
        options.credential_file.read_text().strip(),
    )
    context = DefaultOpenSSLContextFactory(
        str(options.tls_private_key_file), str(options.tls_cert_file)
    )
    endpoint = SSL4ServerEndpoint(reactor, 0, context, interface="127.0.0.1", backlog=4096)
    listening = endpoint.listen(Site(proxy))
    listening.addCallback(
        lambda port: print(f"serving https on 127.0.0.1:{port.getHost().port}", flush=True)
    )
    reactor.run()


if __name__ == "__main__":
    main()
