"""A Python function as something that can be called with JSON.

Its own signature says which fields there are and of which types, so that what is offered over
HTTP can't differ from the Python API.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from koproxy_harness.command.names import unknown
from koproxy_harness.command.reading import Mistyped, readable, value_for, value_from_text


class WrongCall(Exception):
    """A call can't be made like this; the message is for who called."""


class Call:
    """`function`, called with the fields of a JSON object.

    `result` names what it gives in the answer; without, it gives an object, or nothing. `method`
    is GET for one that changes nothing, whose fields are the query's. `takes_manifest`: its one
    argument is the whole body, as it is.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        result: str = "",
        method: str = "POST",
        *,
        takes_manifest: bool = False,
    ) -> None:
        self.method = method
        self.takes_manifest = takes_manifest
        self._function = function
        self._result = result
        hints = get_type_hints(function)
        parameters = inspect.signature(function).parameters
        self._open = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
        named = [each for each in parameters.values() if each.kind is not each.VAR_KEYWORD]
        self._hints = {each.name: hints[each.name] for each in named if readable(hints[each.name])}
        self._needed = [each.name for each in named if each.default is each.empty]

    @property
    def fields(self) -> list[str]:
        """The names of its fields; `...` stands for any others."""
        return [*self._hints, *(["..."] if self._open else [])]

    def with_query(self, query: Mapping[str, str]) -> Any:
        """Call it with the parameters of a query; raises `WrongCall`."""
        return self._call(query, value_from_text)

    def with_json(self, fields: Mapping[str, Any]) -> Any:
        """Call it with the fields of a JSON object; raises `WrongCall`."""
        return self._call(fields, value_for)

    def with_manifest(self, text: str) -> Any:
        """Call it with a whole body."""
        return self._function(text)

    def answer(self, given: Any) -> dict[str, Any]:
        """Give the answer's JSON for what the function gave."""
        if self._result:
            return {self._result: given}
        return given if isinstance(given, dict) else {}

    def _call(self, fields: Mapping[str, Any], read: Callable[[Any, Any], Any]) -> Any:
        arguments: dict[str, Any] = {}
        for name, value in fields.items():
            if name in self._hints:
                try:
                    arguments[name] = read(self._hints[name], value)
                except Mistyped as wanted:
                    raise WrongCall(f"{name} must be {wanted}, not {value!r}") from None
            elif self._open and name != "self":
                arguments[name] = value
            else:
                raise WrongCall(unknown(name, name, self.fields))
        missing = [name for name in self._needed if name not in arguments]
        if missing:
            raise WrongCall(f"{' and '.join(missing)} must be given")
        return self._function(**arguments)
