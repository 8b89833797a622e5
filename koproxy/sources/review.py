"""A review: an object that is sent to the API server and comes back with an answer in it.

It is sent with the proxy's own credential. What may be said to a client about one that failed is
what can be said about any; what whoever runs the proxy has to do is for the log.
"""

import json
from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

import msgspec
from twisted.internet.defer import CancelledError, TimeoutError

T = TypeVar("T")


class Call(Protocol):
    """A request of the proxy's own: method, path as the API server knows it, body."""

    def __call__(
        self, method: bytes, path: bytes, body: bytes, /, *, stranger: bool
    ) -> Awaitable[tuple[int, bytes]]:
        """Give the answer's status and content; ``stranger``: anybody may have brought it up."""


class NoAnswer(Exception):
    """The API server gave no usable answer to a review; the text says what it gave."""


async def ask(
    call: Call,
    api: str,
    kind: str,
    spec: dict[str, Any],
    status: type[T],
    *,
    remedy: str,
    stranger: bool,
) -> T:
    """Send a review of this ``kind`` and ``api`` group, and give its status.

    ``remedy`` says what to do if the proxy may not ask; ``stranger`` as for the :class:`Call`.
    Raises NoAnswer.
    """
    body = {"apiVersion": f"{api}/v1", "kind": kind, "spec": spec}
    path = f"/apis/{api}/v1/{kind.lower()}s".encode()
    try:
        code, answer = await call(b"POST", path, json.dumps(body).encode(), stranger=stranger)
    except CancelledError:
        raise
    except TimeoutError:
        raise NoAnswer("the API server did not answer in time") from None
    except Exception as error:  # noqa: BLE001 (whatever the connection fails with)
        raise NoAnswer(f"the API server can't be asked ({error})") from None
    if code == 401:
        raise NoAnswer("the API server refuses the proxy's credential (401)")
    if code == 403:
        raise NoAnswer(f"the proxy may not ask (403): {remedy}")
    if code not in (200, 201):
        raise NoAnswer(f"the API server answers {code}")
    try:
        found = msgspec.json.decode(answer, type=dict[str, msgspec.Raw])
        return msgspec.json.decode(found["status"], type=status)
    except (msgspec.DecodeError, KeyError):
        raise NoAnswer(f"its answer is no {kind}") from None
