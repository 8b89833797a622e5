"""How an API server says that fields of a review or a token request have values without sense.

Pure.
"""

from __future__ import annotations

import json
from typing import Any

from koproxy_harness.kube.quoting import quoted
from koproxy_harness.kube.status import Refusal, together

Wrong = tuple[str, Any, str]  # a field's path, its value, and what is wrong with it


def invalid(group: str, kind: str, name: str, *fields: Wrong) -> Refusal:
    """Give the refusal (422) of an object of this kind with these wrong fields."""
    causes = [
        {
            "reason": "FieldValueInvalid",
            "message": f"Invalid value: {json.dumps(value)}: {why}",
            "field": field,
        }
        for field, value, why in fields
    ]
    said = together([f"{cause['field']}: {cause['message']}" for cause in causes])
    details: dict[str, Any] = {"name": name, "group": group, "kind": kind}
    return Refusal(
        422,
        f"{kind}.{group} {quoted(name)} is invalid: {said}",
        details={**{key: value for key, value in details.items() if value}, "causes": causes},
    )
