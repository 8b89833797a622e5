"""The servers' Python API over HTTPS with JSON, for tests in other languages.

Whoever reaches its port may do everything to the servers, as the test that started them may.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from koproxy_harness.command.calls import Call, WrongCall
from koproxy_harness.command.names import unknown
from koproxy_harness.errors import HarnessError
from koproxy_harness.serving.place import LOOPBACK, Place
from koproxy_harness.serving.server import Server

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Exchange, Request


class Control(Server):
    """Answers requests to the paths of `calls`; the first one, `/`, lists them."""

    def __init__(self, calls: Mapping[str, Call], place: Place = LOOPBACK) -> None:
        super().__init__(None, "refused", place)
        self._calls = dict(calls)

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        request = await exchange.whole()
        if request.path == "/":
            exchange.respond(200, self._listed)
            return
        call = self._calls.get(request.path)
        if call is None:
            exchange.respond(404, _error(unknown(request.path, request.path, self._calls)))
        elif request.method != call.method:
            text = f"{request.path} is asked with {call.method}, not with {request.method}"
            exchange.respond(405, _error(text), (("Allow", call.method),))
        else:
            await self._call(exchange, call, request)

    async def _call(self, exchange: Exchange, call: Call, request: Request) -> None:
        try:
            given = _made(call, request)
            if inspect.isawaitable(given):
                given = await given
        except (WrongCall, HarnessError) as error:
            exchange.respond(400, _error(f"{request.path}: {error}"))
        except Exception as error:  # noqa: BLE001 - it is the caller's, who gets it
            text = f"{request.path} could not be done with these values: {error!r}"
            exchange.respond(400, _error(text))
        else:
            exchange.respond(200, call.answer(given))

    @property
    def _listed(self) -> dict[str, Any]:
        return {
            "calls": [
                {"method": call.method, "path": path, "fields": call.fields}
                for path, call in self._calls.items()
            ]
        }


def _made(call: Call, request: Request) -> Any:
    if call.method == "GET":
        return call.with_query(request.query)
    try:
        text = request.body.decode()
        if call.takes_manifest:
            return call.with_manifest(text)
        fields = json.loads(text or "{}", parse_constant=_not_json)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise WrongCall(f"the body is not JSON in UTF-8: {error}") from None
    if fields is None:  # what many languages make of a map that nobody filled
        fields = {}
    if not isinstance(fields, dict):
        raise WrongCall("the body must be a JSON object")
    return call.with_json(fields)


def _not_json(name: str) -> None:
    raise WrongCall(f"the body is not JSON: there is no {name}")


def _error(text: str) -> dict[str, Any]:
    return {"error": text}
