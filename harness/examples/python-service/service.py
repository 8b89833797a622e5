"""A small service that greets whoever brings a good OIDC token.

python service.py ISSUER_URL AUDIENCE [CA_FILE]
"""

import json
import ssl
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt


class Verifier:
    """Verifies tokens of one issuer, by the keys that it publishes.

    Keys are fetched again for a token with an unknown one, but not within `pause` seconds.
    """

    def __init__(self, issuer, audience, ca_file=None, pause=30):
        self._issuer = issuer
        self._audience = audience
        trust = ssl.create_default_context(cafile=ca_file)
        discovery = f"{issuer}/.well-known/openid-configuration"
        with urllib.request.urlopen(discovery, context=trust, timeout=10) as answer:
            document = json.load(answer)
        if document["issuer"] != issuer:
            raise ValueError(f"{discovery} is about {document['issuer']}")
        self._keys = jwt.PyJWKClient(
            document["jwks_uri"], ssl_context=trust, timeout=10, cooldown_duration=pause
        )

    def subject(self, token):
        """Give who the token is about; raises `jwt.PyJWTError` for one that is not good."""
        key = self._keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256", "ES256"],
            audience=self._audience,
            issuer=self._issuer,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        return claims["sub"]


def server(verifier, port=0):
    """Give an HTTP server on a loopback port, not yet serving."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            _scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            try:
                status, text = 200, f"Hello, {verifier.subject(token)}!\n"
            except jwt.PyJWKClientConnectionError:
                status, text = 503, "Nobody can be let in at the moment.\n"
            except jwt.PyJWTError:
                status, text = 401, "Who are you?\n"
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    server(Verifier(*sys.argv[1:]), port=8080).serve_forever()
