"""What a contestant must do before it is measured: the whole work, and nothing but the work."""

import http.client
import ssl
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bench import paths
from bench.authority import ADDRESS
from bench.caller import forged
from bench.contestants import Running
from bench.errors import NoFigure


def check_answer(running: Running, authority: Path, token: str, body: bytes) -> None:
    """See that a contestant gives the upstream's answer; raises NoFigure."""
    status, got = _ask(running, authority, {"Authorization": f"Bearer {token}"})
    if status != 200 or got != body:
        raise NoFigure(
            f"{running.program.name} answered {status} with {len(got)} bytes that the upstream "
            f"didn't send\n{running.program.last_lines()}"
        )


def check_refusals(running: Running, authority: Path, token: str) -> None:
    """See that a contestant refuses who isn't somebody, or wants to be another; raises NoFigure."""
    good = {"Authorization": f"Bearer {token}"}
    wrong = {
        "no token": (401, {}),
        "a forged token": (401, {"Authorization": f"Bearer {forged(token)}"}),
        "a user to impersonate": (403, good | {"Impersonate-User": "jane"}),
        "an extra to impersonate": (403, good | {"Impersonate-Extra-Scopes": "all"}),
    }
    for what, (wanted, headers) in wrong.items():
        status, _ = _ask(running, authority, headers)
        if status != wanted:
            raise NoFigure(f"{running.program.name} answered {status} to {what}, not {wanted}")


def _ask(running: Running, authority: Path, headers: Mapping[str, str]) -> tuple[int, bytes]:
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(ADDRESS, running.port, timeout=10, context=context)
    with closing(connection):
        try:
            connection.request("GET", paths.SMALL, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as problem:
            program = running.program
            raise NoFigure(
                f"{program.name} did not answer: {problem}\n{program.last_lines()}"
            ) from None
