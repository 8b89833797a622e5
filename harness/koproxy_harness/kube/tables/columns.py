"""The columns with which an API server prints each built-in kind. Facts only, no code.

In a line, `+` is before a column that is only shown when more is asked for (priority 1), `_` is
a space in a name, and behind a colon is the type where it isn't a string. `=name` marks a cell
that is a name, as the first one nearly always is.
"""

from __future__ import annotations

from typing import Any

_PODS_OF = "+Containers +Images +Selector"
_BINDING = "Role Age +Users +Groups +ServiceAccounts"
_EVENTS = "Last_Seen Type Reason Object +Subobject +Source Message +First_Seen +Count +Name"
_REPLICAS = "Desired:integer Current:integer Ready:integer Age"
_ADMISSION = "admissionregistration.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
COLUMNS = {
    ("", "componentstatuses"): "Name Status Message Error",
    ("", "configmaps"): "Name Data Age",
    ("", "endpoints"): "Name Endpoints Age",
    ("", "events"): _EVENTS,
    ("", "namespaces"): "Name Status Age",
    ("", "nodes"): "Name Status Roles Age Version +Internal-IP +External-IP +OS-Image "
    "+Kernel-Version +Container-Runtime",
    ("", "persistentvolumeclaims"): "Name Status Volume Capacity Access_Modes StorageClass "
    "VolumeAttributesClass Age +VolumeMode",
    ("", "persistentvolumes"): "Name Capacity Access_Modes Reclaim_Policy Status Claim "
    "StorageClass VolumeAttributesClass Reason Age +VolumeMode",
    ("", "pods"): "Name Ready Status Restarts Age +IP +Node +Nominated_Node +Readiness_Gates",
    ("", "podtemplates"): "Name Containers Images Pod_Labels",
    ("", "replicationcontrollers"): f"Name {_REPLICAS} {_PODS_OF}",
    ("", "resourcequotas"): "Name Request Limit Age",
    ("", "secrets"): "Name Type Data Age",
    ("", "serviceaccounts"): "Name Age",
    ("", "services"): "Name Type Cluster-IP External-IP Port(s) Age +Selector",
    (_ADMISSION, "mutatingadmissionpolicies"): "Name Mutations:integer ParamKind Age",
    (_ADMISSION, "mutatingadmissionpolicybindings"): "Name PolicyName ParamRef Age",
    (_ADMISSION, "mutatingwebhookconfigurations"): "Name Webhooks:integer Age",
    (_ADMISSION, "validatingadmissionpolicies"): "Name Validations:integer ParamKind Age",
    (_ADMISSION, "validatingadmissionpolicybindings"): "Name PolicyName ParamRef Age",
    (_ADMISSION, "validatingwebhookconfigurations"): "Name Webhooks:integer Age",
    ("apps", "controllerrevisions"): "Name Controller Revision Age",
    ("apps", "daemonsets"): "Name Desired:integer Current:integer Ready:integer "
    f"Up-to-date:integer Available:integer Node_Selector Age {_PODS_OF}",
    ("apps", "deployments"): f"Name Ready Up-to-date Available Age {_PODS_OF}",
    ("apps", "replicasets"): f"Name {_REPLICAS} {_PODS_OF}",
    ("apps", "statefulsets"): "Name Ready Age +Containers +Images",
    (
        "autoscaling",
        "horizontalpodautoscalers",
    ): "Name Reference Targets MinPods MaxPods Replicas Age",
    ("batch", "cronjobs"): "Name Schedule Timezone Suspend:boolean Active:integer Last_Schedule "
    f"Age {_PODS_OF}",
    ("batch", "jobs"): f"Name Status Completions Duration Age {_PODS_OF}",
    ("certificates.k8s.io", "certificatesigningrequests"): "Name Age SignerName Requestor "
    "RequestedDuration Condition",
    ("coordination.k8s.io", "leases"): "Name Holder Age",
    ("discovery.k8s.io", "endpointslices"): "Name AddressType Ports Endpoints Age",
    ("events.k8s.io", "events"): _EVENTS,
    ("networking.k8s.io", "ingressclasses"): "Name Controller Parameters Age",
    ("networking.k8s.io", "ipaddresses"): "Name ParentRef",
    ("networking.k8s.io", "networkpolicies"): "Name Pod-Selector Age",
    ("networking.k8s.io", "ingresses"): "Name Class Hosts Address Ports Age",
    ("networking.k8s.io", "servicecidrs"): "Name CIDRs Age",
    ("node.k8s.io", "runtimeclasses"): "Name Handler Age",
    ("policy", "poddisruptionbudgets"): "Name Min_Available Max_Unavailable "
    "Allowed_Disruptions:integer Age",
    (_RBAC, "clusterrolebindings"): f"Name {_BINDING}",
    (_RBAC, "rolebindings"): f"Name {_BINDING}",
    ("scheduling.k8s.io", "priorityclasses"): "Name Value:integer Global-Default:boolean Age "
    "PreemptionPolicy",
    ("storage.k8s.io", "csidrivers"): "Name AttachRequired:boolean PodInfoOnMount:boolean "
    "StorageCapacity:boolean TokenRequests RequiresRepublish:boolean Modes Age",
    ("storage.k8s.io", "csinodes"): "Name Drivers:integer Age",
    ("storage.k8s.io", "storageclasses"): "Name Provisioner ReclaimPolicy VolumeBindingMode "
    "AllowVolumeExpansion Age",
    ("storage.k8s.io", "volumeattachments"): "Name Attacher=name PV Node Attached:boolean Age",
    ("storage.k8s.io", "volumeattributesclasses"): "Name DriverName Age",
}
OTHERS = "Name Created_At:date"


def definitions(line: str) -> list[dict[str, Any]]:
    """Read a line of columns as `TableColumnDefinition`s."""
    made = []
    for word in line.split():
        name, _, type_ = word.removesuffix("=name").removeprefix("+").partition(":")
        made.append(
            {
                "name": name.replace("_", " "),
                "type": type_ or "string",
                "format": "name" if name == "Name" or word.endswith("=name") else "",
                "description": "",
                "priority": int(word.startswith("+")),
            }
        )
    return made
