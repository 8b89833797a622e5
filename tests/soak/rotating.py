"""What changes and goes away meanwhile: certificates, keys, tokens, files, servers."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from koproxy_harness import Issuer
from localcluster.apiserver import ApiServer, answers
from localcluster.cluster import Cluster, write_token
from localcluster.dex import Dex
from localcluster.pki import Authority
from localcluster.processes import Processes, wait_until

from soak.findings import Findings
from soak.people import Person

HEAD = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
EVERY = 7.0  # seconds from one change to the next


def entry(url: str, ca: str, audience: str, username: dict[str, str]) -> dict[str, Any]:
    """An issuer of the configuration."""
    return {
        "issuer": {"url": url, "certificateAuthority": ca, "audiences": [audience]},
        "claimMappings": {"username": username, "groups": {"claim": "groups", "prefix": ""}},
    }


def write_configuration(path: Path, issuer: Issuer, dex: Dex, number: int) -> None:
    """Write the file; a number makes it another one that says the same."""
    ours = entry(
        issuer.url,
        Path(issuer.ca_file).read_text(),
        "kubernetes",
        {"expression": "'harness:' + claims.sub"},
    )
    theirs = entry(
        dex.issuer.url,
        dex.issuer.ca.read_text(),
        "koproxy",
        {"claim": "email", "prefix": "dex:"},
    )
    theirs["claimValidationRules"] = [{"expression": f"{number} == {number}"}]
    new = path.with_suffix(".new")
    new.write_text(json.dumps({**HEAD, "jwt": [ours, theirs] if number % 2 else [theirs, ours]}))
    new.replace(path)


class Rotating:
    """A thread that changes one thing after the other."""

    def __init__(
        self,
        authority: Authority,
        issuer: Issuer,
        dex: Dex,
        configuration: Path,
        cluster: Cluster,
        people: list[Person],
        findings: Findings,
    ) -> None:
        self._people = people
        self._authority = authority
        self._issuer = issuer
        self._dex = dex
        self._configuration = configuration
        self._cluster = cluster
        self._findings = findings

    def run(self) -> None:
        """Go on until it ends."""
        token = self._cluster.koproxy_kubeconfig.with_name("koproxy.token")
        for number in itertools.count(1):
            if self._findings.ending.wait(EVERY):
                return
            turn = number % 4
            if turn == 0:
                self._authority.server("koproxy")
                self._findings.count("serving certificates rotated")
            elif turn == 1:
                with self._findings.keys.gone():
                    old = number % 20 != 1
                    self._issuer.rotate_keys(keep_old=old)
                    if not old:  # there may be a hundred; all log in anew
                        for person in self._people:
                            person.forget()
                self._findings.count("issuer's keys rotated")
            elif turn == 2:
                write_configuration(self._configuration, self._issuer, self._dex, number)
                self._findings.count("configurations changed")
            else:
                try:
                    write_token(self._cluster.admin, token)
                    self._findings.count("the proxy's tokens rotated")
                except Exception:  # noqa: BLE001 (the API server is away: the next time)
                    self._findings.count("tokens not to be had")


class Restarting:
    """A thread that ends servers, and has them back."""

    def __init__(
        self,
        processes: Processes,
        api: ApiServer,
        dex: Dex,
        people: list[Person],
        findings: Findings,
        seconds: float,
    ) -> None:
        self._processes = processes
        self._api = api
        self._dex = dex
        self._people = people
        self._findings = findings
        self._pause = seconds / 6

    def run(self) -> None:
        """End and begin Dex, the API server, and so on, five times in all."""
        for turn in range(5):
            if self._findings.ending.wait(self._pause):
                return
            if turn % 2:
                self._api_server()
            else:
                self._issuer()

    def _api_server(self) -> None:
        with self._findings.api.gone():
            server = next(each for each in self._processes.servers if each.name == self._api.name)
            argv = server.process.args
            assert isinstance(argv, list)
            server.stop()
            again = self._processes.start(self._api.name, argv)
            wait_until(
                lambda: answers(f"{self._api.url}/readyz", self._api.ca, self._api.admin_token),
                "the API server is back",
                server=again,
                seconds=120,
            )
        self._findings.count("restarts of the API server")

    def _issuer(self) -> None:
        with self._findings.dex.gone():
            self._dex.stop()
            self._findings.ending.wait(3)
            self._dex.start()
            for person in self._people:
                if person.at_dex:
                    person.forget()
                    person.token()
        self._findings.count("restarts of Dex")
