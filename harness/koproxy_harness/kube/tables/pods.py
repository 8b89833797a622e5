"""The cells of a Pod: how many of its containers are ready, and why not more. Pure."""

from __future__ import annotations

from typing import Any

from koproxy_harness.kube.tables.ages import age
from koproxy_harness.kube.tables.parts import NONE, Cells, Object, part


def pod(made: Object, old: str, now: float) -> Cells:
    """Give what stands behind a Pod's name."""
    spec, status = part(made, "spec"), part(made, "status")
    shown = _Containers(spec, status)
    restarts, last = str(shown.restarts), max(shown.ends, default="")
    if shown.restarts and last:
        restarts = f"{restarts} ({age(last, now)} ago)"
    addresses = status.get("podIPs") or [{"ip": status.get("podIP")}]
    gates = [each.get("conditionType", "") for each in spec.get("readinessGates") or ()]
    passed = sum(_condition(status, gate) == "True" for gate in gates)
    return [
        *(f"{shown.ready}/{shown.total}", _state(made, shown.reason), restarts, old),
        *(addresses[0].get("ip") or NONE, spec.get("nodeName") or NONE),
        status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]


def _state(made: Object, reason: str) -> str:
    status = part(made, "status")
    if "deletionTimestamp" in made["metadata"]:
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ("Succeeded", "Failed"):
            return "Terminating"
    return reason


def _condition(status: Object, type_: str) -> str:
    for each in status.get("conditions") or ():
        if each.get("type") == type_:
            return str(each.get("status", ""))
    return ""


class _Containers:
    """What the containers of one Pod say together."""

    def __init__(self, spec: Object, status: Object) -> None:
        self._status = status
        self._first = spec.get("initContainers") or []
        self._sidecars = {
            each.get("name", "") for each in self._first if each.get("restartPolicy") == "Always"
        }
        self.total = len(spec.get("containers") or ()) + len(self._sidecars)
        self.ready = 0
        self.restarts = 0
        self.ends: list[str] = []  # when containers ended that have been started anew
        self.reason: str = status.get("reason") or status.get("phase") or ""
        for each in status.get("conditions") or ():
            if (each.get("type", ""), each.get("reason")) == ("PodScheduled", "SchedulingGated"):
                self.reason = "SchedulingGated"
        first = status.get("initContainerStatuses") or []
        waits = self._begin(first)
        if not waits or _condition(status, "Initialized") == "True":
            # Of those that came before, only the ones that go on running count from here on.
            self.restarts, self.ends = 0, []
            for each in first:
                if each.get("name", "") in self._sidecars:
                    self._count(each)
            self._run(status.get("containerStatuses") or [])

    def _count(self, container: Object) -> None:
        self.restarts += container.get("restartCount", 0)
        ended = part(part(container, "lastState"), "terminated").get("finishedAt")
        if ended:
            self.ends.append(ended)

    def _begin(self, containers: list[Any]) -> bool:
        """Look at the init containers; gives whether one of them is still waited for."""
        for number, each in enumerate(containers):
            self._count(each)
            state = part(each, "state")
            ended, waiting = state.get("terminated"), part(state, "waiting").get("reason")
            if ended is not None and not ended.get("exitCode"):
                continue
            if each.get("name", "") in self._sidecars and each.get("started"):
                self.ready += bool(each.get("ready"))
                continue
            if ended is not None:
                self.reason = f"Init:{_end(ended)}"
            elif waiting and waiting != "PodInitializing":
                self.reason = f"Init:{waiting}"
            else:
                self.reason = f"Init:{number}/{len(self._first)}"
            return True
        return False

    def _run(self, containers: list[Any]) -> None:
        """Look at the containers; of all that have something to say the first is heard."""
        running, failed = False, ""
        for each in reversed(containers):
            self._count(each)
            state = part(each, "state")
            ended, waiting = state.get("terminated"), part(state, "waiting").get("reason")
            if waiting:
                self.reason = waiting
            elif ended is not None:
                self.reason = _end(ended)
                failed = self.reason if ended.get("exitCode") else failed
            elif each.get("ready") and state.get("running") is not None:
                running = True
                self.ready += 1
        if self.reason == "Completed":
            if running and _condition(self._status, "Ready") == "True":
                self.reason = "Running"
            elif failed:
                self.reason = failed
            elif running:
                self.reason = "NotReady"


def _end(ended: Object) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    signal = ended.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode', 0)}"
