"""What the API server itself says of the requests, watches and streams that it has in hand."""

from __future__ import annotations

import re

from localcluster.cluster import Cluster

GAUGE = re.compile(r"^apiserver_longrunning_requests\{(.*)\} (\d+)$", re.MULTILINE)

EXECUTING = re.compile(
    r'^apiserver_flowcontrol_current_executing_requests\{flow_schema="global-default",'
    r'priority_level="global-default"\} (\d+)$',
    re.MULTILINE,
)


def executing(cluster: Cluster) -> int:
    """How many requests of people it answers now, watches and streams apart."""
    found = EXECUTING.search(cluster.admin("get", "--raw", "/metrics"))
    return int(found.group(1)) if found else 0


def long_running(cluster: Cluster, resource: str, subresource: str = "") -> int:
    """How many long-running requests for this it serves now; without `subresource`, watches."""
    wanted = {f'resource="{resource}"', f'subresource="{subresource}"'}
    gauges = GAUGE.findall(cluster.admin("get", "--raw", "/metrics"))
    return sum(int(value) for labels, value in gauges if wanted <= set(labels.split(",")))
