"""A memory that does not grow without end: codes, tokens and sessions are kept in it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 10_000  # entries


class Bounded(Generic[T]):
    """Values by a string, the last `MOST` of them: when it is full, the oldest is forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._values: OrderedDict[str, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> T | None:
        """Give the value, None if there is none (any more)."""
        return self._values.get(key)

    def put(self, key: str, value: T) -> None:
        """Keep a value."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forget a value, if it is there."""
        self._values.pop(key, None)

    def values(self) -> list[T]:
        """Give all values, the oldest first."""
        return list(self._values.values())
