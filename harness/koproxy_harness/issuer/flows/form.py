"""The parameters of a request, as OAuth reads them (RFC 6749 section 3.1 and appendix B).

Pure. A parameter without a value counts as left out, and none may come twice, apart from those
that RFC 8693 and RFC 8707 let be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from koproxy_harness.issuer.flows.answers import OAuthError

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request

_REPEATABLE = frozenset({"audience", "resource"})
_TYPE = "application/x-www-form-urlencoded"
_MOST = 200  # parameters


class Form:
    """Parameters by name; raises `OAuthError` (`invalid_request`) for those that come twice."""

    def __init__(self, encoded: str) -> None:
        try:
            pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=_MOST)
        except ValueError:
            raise OAuthError("invalid_request", f"there are more than {_MOST} parameters") from None
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if name in self._values and name not in _REPEATABLE:
                raise OAuthError("invalid_request", "a parameter is there more than once")
            if value:
                self._values.setdefault(name, []).append(value)

    @classmethod
    def of_query(cls, request: Request) -> Form:
        """Read the query."""
        return cls(request.target.partition("?")[2])

    @classmethod
    def of_body(cls, request: Request) -> Form:
        """Read the body, which has to be a form."""
        types = request.values("content-type")
        if len(types) != 1 or types[0].partition(";")[0].strip().lower() != _TYPE:
            raise OAuthError("invalid_request", f"the body has to be of the type {_TYPE}")
        return cls(request.body.decode("utf-8", "replace"))

    @classmethod
    def of(cls, request: Request) -> Form:
        """Read the body of a POST and else the query."""
        return cls.of_body(request) if request.method == "POST" else cls.of_query(request)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str) -> str | None:
        """Give the value, None without one."""
        values = self._values.get(name)
        return values[0] if values else None

    def need(self, name: str) -> str:
        """Give the value; raises `OAuthError` (`invalid_request`) without one."""
        value = self.get(name)
        if value is None:
            raise OAuthError("invalid_request", f"the parameter {name} is missing")
        return value

    def all(self, name: str) -> list[str]:
        """Give every value of a parameter that may be repeated."""
        return list(self._values.get(name, ()))

    def words(self, name: str) -> tuple[str, ...]:
        """Give the parts of a value that is a list with blanks between, each once."""
        return tuple(dict.fromkeys((self.get(name) or "").split()))

    def pairs(self) -> list[tuple[str, str]]:
        """Give all of it, to be sent once more."""
        return [(name, value) for name, values in self._values.items() for value in values]
