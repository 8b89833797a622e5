"""Dex: a real OIDC issuer with a few people in it, and the log-in by password.

Everything is in memory: a Dex that is started again has new keys.
"""

from __future__ import annotations

import json
import ssl
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.apiserver import answers
from localcluster.binaries import binary
from localcluster.pki import Authority, Pair
from localcluster.processes import Processes, Server, free_port, wait_until

PASSWORD = "password"
PASSWORD_HASH = "$2a$10$bFuCU6FkchxgXMTaxLWYROscSesDrISLWii5ZraNhzuf6ZOPfKsKG"
CLIENT_SECRET = "not-a-secret"
CLIENTS = ("koproxy", "koproxy-b", "somebody-else")
ANNA, BERT, CARL = "anna@example.com", "bert@example.com", "carl@example.com"
PEOPLE = {ANNA: ["developers"], BERT: ["auditors", "visitors"], CARL: []}


def dex_config(issuer: str, listen: str, pair: Pair, id_tokens: str = "24h") -> dict[str, object]:
    """Dex's configuration; `id_tokens` is how long an ID token is valid, as Go writes it."""
    return {
        "issuer": issuer,
        "storage": {"type": "memory"},
        "web": {"https": listen, "tlsCert": str(pair.certificate), "tlsKey": str(pair.key)},
        "expiry": {"idTokens": id_tokens},
        "oauth2": {"passwordConnector": "local", "skipApprovalScreen": True},
        "enablePasswordDB": True,
        "staticPasswords": [
            {
                "email": email,
                "username": email.partition("@")[0],
                "userID": f"id-of-{email.partition('@')[0]}",
                "hash": PASSWORD_HASH,
                "groups": groups,
            }
            for email, groups in PEOPLE.items()
        ],
        "staticClients": [
            {"id": client, "name": client, "secret": CLIENT_SECRET, "redirectURIs": []}
            for client in CLIENTS
        ],
    }


@dataclass(frozen=True)
class Issuer:
    """What one needs to know of a running Dex to log in there."""

    url: str
    ca: Path

    def log_in(self, email: str, *, client: str = CLIENTS[0], password: str = PASSWORD) -> str:
        """An ID token by the password grant (RFC 6749, section 4.3), for the audience `client`.

        Raises urllib.error.HTTPError if Dex refuses.
        """
        form = {
            "grant_type": "password",
            "scope": "openid email groups",
            "username": email,
            "password": password,
            "client_id": client,
            "client_secret": CLIENT_SECRET,
        }
        with urllib.request.urlopen(
            f"{self.url}/token",
            data=urllib.parse.urlencode(form).encode(),
            timeout=30,
            context=ssl.create_default_context(cafile=self.ca),
        ) as response:
            return str(json.load(response)["id_token"])


@dataclass
class Dex:
    """A Dex on a port of its own, which it keeps over stops and starts."""

    processes: Processes
    authority: Authority
    name: str = "dex"
    id_tokens: str = "24h"
    port: int = field(default_factory=free_port)
    server: Server | None = None

    @property
    def issuer(self) -> Issuer:
        return Issuer(f"https://127.0.0.1:{self.port}/dex", self.authority.certificate)

    def start(self) -> None:
        """Start it, with new keys, and wait until it serves its discovery document."""
        directory = self.processes.directory / self.name
        directory.mkdir(parents=True, exist_ok=True)
        config = directory / "config.yaml"
        pair = self.authority.server(self.name)
        listen = f"127.0.0.1:{self.port}"
        config.write_text(
            json.dumps(dex_config(self.issuer.url, listen, pair, self.id_tokens), indent=2)
        )
        self.server = self.processes.start(self.name, [binary("dex"), "serve", config])
        discovery = f"{self.issuer.url}/.well-known/openid-configuration"
        wait_until(
            lambda: answers(discovery, self.authority.certificate),
            f"{self.name} serves {discovery}",
            server=self.server,
        )

    def stop(self) -> None:
        """End it; the port is closed when this returns."""
        if self.server is not None:
            self.server.stop()
            self.server = None
