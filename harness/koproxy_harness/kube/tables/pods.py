"""The cells of a Pod: how many of its containers are ready, and why not more. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from koproxy_harness.kube.tables.ages import age

_NONE = "<none>"


def pod(made: Mapping[str, Any], old: str, now: float) -> list[Any]:
    """Give what stands behind a Pod's name."""
    spec, status = made.get("spec") or {}, made.get("status") or {}
    states = status.get("containerStatuses") or []
    ready = sum(bool(each.get("ready")) for each in states)
    restarts = sum(each.get("restartCount", 0) for each in states)
    ends = [
        each["lastState"]["terminated"]["finishedAt"]
        for each in states
        if (each.get("lastState") or {}).get("terminated", {}).get("finishedAt")
    ]
    again = f"{restarts} ({age(max(ends), now)} ago)" if restarts and ends else str(restarts)
    addresses = status.get("podIPs") or [{"ip": status.get("podIP") or _NONE}]
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    gates = [each["conditionType"] for each in spec.get("readinessGates") or ()]
    passed = sum(conditions.get(gate) == "True" for gate in gates)
    return [
        f"{ready}/{len(spec.get('containers') or ())}",
        *(_state(made, status, states), again, old),
        *(addresses[0]["ip"], spec.get("nodeName") or _NONE),
        status.get("nominatedNodeName") or _NONE,
        f"{passed}/{len(gates)}" if gates else _NONE,
    ]


def _state(made: Mapping[str, Any], status: Mapping[str, Any], states: list[Any]) -> str:
    reason: str = status.get("reason") or status.get("phase") or ""
    if "deletionTimestamp" in made["metadata"]:
        return "Unknown" if reason == "NodeLost" else "Terminating"
    for each in states:  # the first container that has something to say is heard
        state = each.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason"):
            return str(waiting["reason"])
        if ended.get("reason"):
            return str(ended["reason"])
        if ended:
            signal = ended.get("signal")
            return f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode', 0)}"
    return reason
