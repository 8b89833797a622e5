"""Defaults that are the same for every object: of each type, the fields and their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CONTAINER = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_MODE = {"defaultMode": 0o644}
_WEBHOOK = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
}

VALUES: Mapping[str, Mapping[str, Any]] = {
    # Pods
    "PodTemplateSpec": {"metadata": {}},
    "PodSpec": {
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        "schedulerName": "default-scheduler",
    },
    "Container": _CONTAINER,
    "EphemeralContainer": _CONTAINER,
    "ContainerPort": {"protocol": "TCP"},
    "HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    "GRPCAction": {"service": ""},
    "ObjectFieldSelector": {"apiVersion": "v1"},
    # Volumes
    "SecretVolumeSource": _MODE,
    "ConfigMapVolumeSource": _MODE,
    "DownwardAPIVolumeSource": _MODE,
    "ProjectedVolumeSource": _MODE,
    "ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    "HostPathVolumeSource": {"type": ""},
    "ISCSIVolumeSource": {"iscsiInterface": "default"},
    "PersistentVolumeSpec": {
        "persistentVolumeReclaimPolicy": "Retain",
        "volumeMode": "Filesystem",
    },
    "PersistentVolumeClaimTemplate": {"metadata": {}},
    "PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    "StorageClass": {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    "CSIDriverSpec": {
        "attachRequired": True,
        "podInfoOnMount": False,
        "storageCapacity": False,
        "fsGroupPolicy": "ReadWriteOnceWithFSType",
        "volumeLifecycleModes": ["Persistent"],
        "requiresRepublish": False,
        "seLinuxMount": False,
    },
    # Workloads
    "DeploymentSpec": {
        "replicas": 1,
        "strategy": {},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    },
    "DeploymentStrategy": {"type": "RollingUpdate"},
    "RollingUpdateDeployment": {"maxUnavailable": "25%", "maxSurge": "25%"},
    "StatefulSetSpec": {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {},
        "revisionHistoryLimit": 10,
        "persistentVolumeClaimRetentionPolicy": {},
    },
    "StatefulSetUpdateStrategy": {"type": "RollingUpdate"},
    "RollingUpdateStatefulSetStrategy": {"partition": 0},
    "StatefulSetPersistentVolumeClaimRetentionPolicy": {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    },
    "DaemonSetSpec": {"updateStrategy": {}, "revisionHistoryLimit": 10},
    "DaemonSetUpdateStrategy": {"type": "RollingUpdate"},
    "RollingUpdateDaemonSet": {"maxUnavailable": 1, "maxSurge": 0},
    "ReplicaSetSpec": {"replicas": 1},
    "ReplicationControllerSpec": {"replicas": 1},
    "JobTemplateSpec": {"metadata": {}},
    "CronJobSpec": {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    "PriorityClass": {"preemptionPolicy": "PreemptLowerPriority"},
    # Network
    "ServiceSpec": {
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
    },
    "ServicePort": {"protocol": "TCP"},
    "EndpointPort": {"protocol": "TCP"},
    "Endpoint": {"conditions": {}},
    "NetworkPolicyPort": {"protocol": "TCP"},
    # Who may do what, and what is let in
    "RoleRef": {"apiGroup": "rbac.authorization.k8s.io"},
    "ValidatingWebhook": _WEBHOOK,
    "MutatingWebhook": {**_WEBHOOK, "reinvocationPolicy": "Never"},
    "RuleWithOperations": {"scope": "*"},
    "NamedRuleWithOperations": {"scope": "*"},
    "ValidatingAdmissionPolicySpec": {"failurePolicy": "Fail"},
    "MutatingAdmissionPolicySpec": {"failurePolicy": "Fail"},
    "MatchResources": {
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
    },
    "CustomResourceDefinitionSpec": {"conversion": {"strategy": "None"}},
    "Secret": {"type": "Opaque"},
    "ServiceReference": {"port": 443},
}
