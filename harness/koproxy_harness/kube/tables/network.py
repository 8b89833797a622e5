"""The cells of what leads to Pods: Services, Ingresses, addresses. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from koproxy_harness.kube.tables.parts import (
    NONE,
    UNSET,
    Cells,
    Object,
    Printer,
    balanced,
    labels_shown,
    part,
    selector_shown,
    shortened,
)


def _service(made: Object, old: str, now: float) -> Cells:
    spec = part(made, "spec")
    type_, outer = spec.get("type", "ClusterIP"), list(spec.get("externalIPs") or ())
    if type_ == "LoadBalancer":
        outer = balanced(part(made, "status")) + outer
    external = ",".join(outer) or ("<pending>" if type_ == "LoadBalancer" else NONE)
    if type_ == "ExternalName":
        external = spec.get("externalName", "")
    ports = [
        ":".join(str(each[number]) for number in ("port", "nodePort") if each.get(number))
        + f"/{each.get('protocol', 'TCP')}"
        for each in spec.get("ports") or ()
    ]
    address = (spec.get("clusterIPs") or [spec.get("clusterIP") or NONE])[0]
    selector = labels_shown(spec.get("selector"))
    return [type_, address, external, ",".join(ports) or NONE, old, selector]


def _ingress(made: Object, old: str, now: float) -> Cells:
    spec = part(made, "spec")
    return [
        *(spec.get("ingressClassName") or NONE, _hosts(spec.get("rules") or ())),
        ",".join(balanced(part(made, "status"))),
        *("80, 443" if spec.get("tls") else "80", old),
    ]


def _hosts(rules: Sequence[Object]) -> str:
    """The rules behind the third host are counted, with the ones before that have no host."""
    hosts: list[str] = []
    for rule in rules:
        if len(hosts) == 3:
            return f"{','.join(hosts)} + {len(rules) - 3} more..."
        if rule.get("host"):
            hosts.append(rule["host"])
    return ",".join(hosts) or "*"


def _ingress_class(made: Object, old: str, now: float) -> Cells:
    spec, said = part(made, "spec"), NONE
    parameters = spec.get("parameters")
    if parameters:
        group = parameters.get("apiGroup")
        kind = parameters.get("kind", "")
        said = f"{kind}.{group}" if group else kind
        said += f"/{parameters.get('name', '')}"
    return [spec.get("controller", ""), said, old]


def _endpoints(made: Object, old: str, now: float) -> Cells:
    found = []
    for subset in made.get("subsets") or ():
        ports: Sequence[Object] = subset.get("ports") or ({},)
        for port in ports:
            for each in subset.get("addresses") or ():
                found.append(_joined(each.get("ip", ""), port.get("port")))
    return [shortened(found) if made.get("subsets") else NONE, old]


def _joined(address: str, port: int | None) -> str:
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _endpoint_slice(made: Object, old: str, now: float) -> Cells:
    ports = [str(each.get("port", each.get("name", "*"))) for each in made.get("ports") or ()]
    found = [
        address for each in made.get("endpoints") or () for address in each.get("addresses") or ()
    ]
    return [made.get("addressType", ""), shortened(ports) or UNSET, shortened(found) or UNSET, old]


def _policy(made: Object, old: str, now: float) -> Cells:
    return [selector_shown(part(made, "spec").get("podSelector")), old]


def _address(made: Object, old: str, now: float) -> Cells:
    # The age is in the row, although no column is there for it.
    parent = part(made, "spec").get("parentRef")
    if not parent:
        return [NONE, old]
    group = parent.get("group")
    kind = f"{parent.get('resource', '')}.{group}" if group else parent.get("resource", "")
    names = (parent.get("namespace"), parent.get("name", ""))
    return ["/".join((kind.lower(), *filter(None, names))), old]


def _service_cidr(made: Object, old: str, now: float) -> Cells:
    return [",".join(part(made, "spec").get("cidrs") or ()), old]


PRINTERS: Mapping[tuple[str, str], Printer] = {
    ("", "endpoints"): _endpoints,
    ("", "services"): _service,
    ("discovery.k8s.io", "endpointslices"): _endpoint_slice,
    ("networking.k8s.io", "ingressclasses"): _ingress_class,
    ("networking.k8s.io", "ingresses"): _ingress,
    ("networking.k8s.io", "ipaddresses"): _address,
    ("networking.k8s.io", "networkpolicies"): _policy,
    ("networking.k8s.io", "servicecidrs"): _service_cidr,
}
