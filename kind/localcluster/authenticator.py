"""Kubernetes' own code, asked about configurations, claims, certificates, requests, policies.

`kind/build` has to have built them. It is a program that reads lines and answers them; nothing
listens, and no keys are needed: the token with the claims is taken to be signed.
"""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcluster.binaries import binary


class Ended(Exception):
    """The program is there no more; the text says where it wrote why."""


@dataclass(frozen=True)
class Judged:
    """What it says: what is wrong with the configuration, or with the token, or who it is.

    `place` is that of the certificate which a client is shown, `read` what a request is about,
    `level` and `omitted` what a policy says of it, `functions` those that expressions have.
    """

    wrong: str = ""
    panic: str = ""
    refused: str = ""
    username: str = ""
    uid: str = ""
    groups: list[str] = field(default_factory=list)
    extra: dict[str, list[str]] = field(default_factory=dict)
    place: int = 0
    read: dict[str, str | bool] = field(default_factory=dict)
    level: str = ""
    omitted: list[str] = field(default_factory=list)
    functions: dict[str, list[str]] = field(default_factory=dict)


class Authenticator:
    """The program, while it runs."""

    def __init__(self, log: Path) -> None:
        """Start it; what it has to say besides goes to `log`."""
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [binary("authenticator")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def ask(self, configuration: str, claims: Mapping[str, Any] | None = None) -> Judged:
        """Say whether a configuration is taken and, if there are claims, whom they name.

        Raises Ended if the program ends instead of answering.
        """
        asked: dict[str, Any] = {"configuration": configuration}
        if claims is not None:
            asked["claims"] = claims
        return self._ask(asked)

    def ask_whom(self, authorities: bytes, chain: Sequence[bytes]) -> Judged:
        """Say whom a client's certificate (the first of `chain`, in DER) names; raises Ended.

        `authorities` are those of --client-ca-file, in PEM. Nobody at all has no username.
        """
        encoded = [base64.b64encode(each).decode() for each in chain]
        return self._ask({"shown": {"authorities": authorities.decode(), "chain": encoded}})

    def ask_which(
        self, pairs: Sequence[tuple[bytes, bytes, Sequence[str]]], name: str, address: str
    ) -> Judged:
        """Say which of `pairs` a client gets that asks for a name; raises Ended.

        A pair is a certificate, its key, and its names in --tls-sni-cert-key; the first has none.
        Without a name, the address that the client has connected to counts.
        """
        row = [
            {"certificate": certificate.decode(), "key": key.decode(), "names": list(names)}
            for certificate, key, names in pairs
        ]
        return self._ask({"served": {"pairs": row, "name": name, "address": address}})

    def ask_about(
        self,
        method: str,
        target: str,
        *,
        policy: str = "",
        user: str = "",
        groups: Sequence[str] = (),
    ) -> Judged:
        """Say what a request is about and, by a policy, how it is audited; raises Ended."""
        about = {"policy": policy, "user": user, "groups": list(groups)}
        return self._ask({"requested": {"method": method, "target": target, **about}})

    def ask_functions(self) -> Mapping[str, list[str]]:
        """Give the functions of expressions by their names: signatures, in order; raises Ended."""
        return self._ask({"functions": True}).functions

    def _ask(self, asked: Mapping[str, Any]) -> Judged:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{json.dumps(asked)}\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise Ended(f"the authenticator has ended; what it said is in {self._log.name}")
        return Judged(**json.loads(answer))

    def close(self) -> None:
        """End it."""
        for stream in (self._process.stdin, self._process.stdout, self._log):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self._process.wait()
