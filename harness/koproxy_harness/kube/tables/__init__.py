"""Objects as tables: not yet."""

from typing import Any


def rendering(accept: str, kind: Any, query: Any, columns: Any = ()) -> Any:
    return None
