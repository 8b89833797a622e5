"""Objects of the built-in kinds, with what their tables show of them.

They are put into a real kube-apiserver in this order, then their status. One that is HELD by a
finalizer is deleted afterwards, so that it stays as one that is going.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HELD = "tables.example/held"
_WORKLOADS = """
kind: PodTemplate
apiVersion: v1
metadata: {name: two}
template: &two
  metadata: {labels: {app: web, tier: front}}
  spec:
    nodeSelector: {disk: ssd, zone: a}
    containers: [{name: web, image: "web:1"}, {name: side, image: "side:2"}]
---
{kind: PodTemplate, apiVersion: v1, metadata: {name: bare},
 template: {spec: {containers: [{name: web, image: web}]}}}
---
kind: ReplicationController
apiVersion: v1
metadata: {name: web}
spec: {replicas: 3, selector: {app: web, tier: front}, template: *two}
status: {replicas: 2, readyReplicas: 1}
---
kind: ReplicaSet
apiVersion: apps/v1
metadata: {name: web}
spec: {replicas: 3, template: *two, selector: &chosen
  {matchLabels: {tier: front}, matchExpressions: [{key: app, operator: In, values: [web, api]},
  {key: old, operator: DoesNotExist}, {key: tier, operator: Exists},
  {key: zone, operator: NotIn, values: [b, a]}]}}
status: {replicas: 2, readyReplicas: 1}
---
kind: Deployment
apiVersion: apps/v1
metadata: {name: web}
spec: {replicas: 4, template: *two, selector: *chosen}
status: {replicas: 4, readyReplicas: 3, updatedReplicas: 2, availableReplicas: 1}
---
kind: StatefulSet
apiVersion: apps/v1
metadata: {name: web}
spec: {replicas: 4, template: *two, selector: *chosen, serviceName: web}
status: {replicas: 4, readyReplicas: 3}
---
kind: DaemonSet
apiVersion: apps/v1
metadata: {name: web}
spec: {template: *two, selector: *chosen}
status: {desiredNumberScheduled: 5, currentNumberScheduled: 4, numberReady: 3,
         numberMisscheduled: 0, updatedNumberScheduled: 2, numberAvailable: 1}
---
{kind: ControllerRevision, apiVersion: apps/v1, metadata: {name: alone}, revision: 1, data: {}}
---
kind: ControllerRevision
apiVersion: apps/v1
metadata:
  name: owned
  ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: web, uid: u, controller: true}]
revision: 7
data: {}
---
kind: Job
apiVersion: batch/v1
metadata: {name: ended}
spec: &once {completions: 1, template: {spec: {restartPolicy: Never,
             containers: [{name: run, image: "run:1"}]}}}
status: {succeeded: 1, startTime: "2024-01-01T00:00:00Z", completionTime: "2024-01-01T01:05:07Z",
  conditions: [{type: SuccessCriteriaMet, status: "True"}, {type: Complete, status: "True"}]}
---
kind: Job
apiVersion: batch/v1
metadata: {name: runs}
spec: {parallelism: 3, template: {spec: {restartPolicy: Never,
       containers: [{name: run, image: "run:1"}]}}}
status: {succeeded: 2, startTime: "2024-01-01T00:00:00Z"}
---
{kind: Job, apiVersion: batch/v1, metadata: {name: fresh}, spec: *once}
---
kind: Job
apiVersion: batch/v1
metadata: {name: fails}
spec: *once
status: {startTime: "2024-01-01T00:00:00Z", failed: 1, conditions: [
  {type: FailureTarget, status: "True"}]}
---
{kind: Job, apiVersion: batch/v1, metadata: {name: goes, finalizers: [tables.example/held]},
 spec: {suspend: true, template: {spec: {restartPolicy: Never,
        containers: [{name: run, image: "run:1"}]}}},
 status: {conditions: [{type: Suspended, status: "True"}]}}
---
{kind: Job, apiVersion: batch/v1, metadata: {name: rests},
 spec: {suspend: true, template: {spec: {restartPolicy: Never,
        containers: [{name: run, image: "run:1"}]}}},
 status: {conditions: [{type: Suspended, status: "True"}]}}
---
{kind: CronJob, apiVersion: batch/v1, metadata: {name: never},
 spec: {schedule: "0 0 * * *", jobTemplate: {spec: *once}}}
---
kind: CronJob
apiVersion: batch/v1
metadata: {name: often}
spec: {schedule: "* * * * *", timeZone: Europe/Berlin, suspend: true, jobTemplate: {spec: *once}}
status: {lastScheduleTime: "2021-02-03T04:05:06Z", active: [{name: a}, {name: b}]}
---
{kind: PodDisruptionBudget, apiVersion: policy/v1, metadata: {name: least},
 spec: {minAvailable: 50%, selector: {}},
 status: {disruptionsAllowed: 2, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1}}
---
{kind: PodDisruptionBudget, apiVersion: policy/v1, metadata: {name: most},
 spec: {maxUnavailable: 1, selector: {}}}
"""
_PODS = """
{metadata: {name: bare}}
---
{metadata: {name: runs}, spec: {nodeName: one, readinessGates: [{conditionType: x/a},
                                                               {conditionType: x/b}]},
 status: {phase: Running, podIPs: [{ip: 10.1.2.3}, {ip: "fd00::1"}], podIP: 10.1.2.3,
   hostIP: 10.0.0.1, hostIPs: [{ip: 10.0.0.1}],
   conditions: [{type: Ready, status: "True"}, {type: x/a, status: "True"},
                {type: x/b, status: "False"}],
   containerStatuses: [{name: web, ready: true, restartCount: 2, image: i, imageID: i,
     state: {running: {}},
     lastState: {terminated: {exitCode: 1, finishedAt: "2024-01-01T00:00:00Z"}}}]}}
---
{metadata: {name: waits}, status: {phase: Pending, nominatedNodeName: two, containerStatuses: [
   {name: web, ready: false, restartCount: 3, image: i, imageID: i,
    state: {waiting: {reason: ImagePullBackOff}}}]}}
---
{metadata: {name: ended}, status: {phase: Succeeded, containerStatuses: [
   {name: web, ready: false, restartCount: 0, image: i, imageID: i,
    state: {terminated: {exitCode: 0, reason: Completed}}}]}}
---
{metadata: {name: mixed}, spec: {containers: [{name: web, image: web}, {name: b, image: b}]},
 status: {phase: Running, conditions: [{type: Ready, status: "False"}], containerStatuses: [
   {name: web, ready: false, restartCount: 0, image: i, imageID: i,
    state: {terminated: {exitCode: 0, reason: Completed}}},
   {name: b, ready: true, restartCount: 0, image: i, imageID: i, state: {running: {}}}]}}
---
{metadata: {name: failed}, status: {phase: Failed, containerStatuses: [
   {name: web, ready: false, restartCount: 0, image: i, imageID: i,
    state: {terminated: {exitCode: 3}}}]}}
---
{metadata: {name: killed}, status: {phase: Failed, containerStatuses: [
   {name: web, ready: false, restartCount: 0, image: i, imageID: i,
    state: {terminated: {exitCode: 137, signal: 9}}}]}}
---
{metadata: {name: evicted}, status: {phase: Failed, reason: Evicted}}
---
{metadata: {name: gated}, spec: {schedulingGates: [{name: x/gate}]}}
---
{metadata: {name: begins}, spec: {initContainers: [{name: i, image: i}, {name: j, image: j}]},
 status: {phase: Pending, initContainerStatuses: [
   {name: i, ready: true, restartCount: 1, image: i, imageID: i,
    state: {terminated: {exitCode: 0, reason: Completed}}},
   {name: j, ready: false, restartCount: 2, image: i, imageID: i,
    state: {waiting: {reason: PodInitializing}}}]}}
---
{metadata: {name: stumbles}, spec: {initContainers: [{name: i, image: i}]},
 status: {phase: Pending, initContainerStatuses: [
   {name: i, ready: false, restartCount: 4, image: i, imageID: i,
    state: {waiting: {reason: CrashLoopBackOff}},
    lastState: {terminated: {exitCode: 1, finishedAt: "2025-01-01T00:00:00Z"}}}]}}
---
{metadata: {name: broke}, spec: {initContainers: [{name: i, image: i}]},
 status: {phase: Pending, initContainerStatuses: [
   {name: i, ready: false, restartCount: 0, image: i, imageID: i,
    state: {terminated: {exitCode: 2}}}]}}
---
{metadata: {name: sidecar},
 spec: {initContainers: [{name: i, image: i, restartPolicy: Always}, {name: j, image: j}]},
 status: {phase: Running, initContainerStatuses: [
   {name: i, ready: true, started: true, restartCount: 1, image: i, imageID: i,
    state: {running: {}}},
   {name: j, ready: true, restartCount: 5, image: i, imageID: i,
    state: {terminated: {exitCode: 0, reason: Completed}}}], containerStatuses: [
   {name: web, ready: true, restartCount: 1, image: i, imageID: i, state: {running: {}}}]}}
---
{metadata: {name: goes, finalizers: [tables.example/held]}, spec: {nodeName: one},
 status: {phase: Running}}
---
{metadata: {name: lost, finalizers: [tables.example/held]}, spec: {nodeName: one},
 status: {phase: Running, reason: NodeLost}}
---
{metadata: {name: done, finalizers: [tables.example/held]}, spec: {nodeName: one},
 status: {phase: Succeeded}}
"""
_NETWORK = """
{kind: Service, apiVersion: v1, metadata: {name: plain},
 spec: {selector: {b: c, a: d}, externalIPs: [1.2.3.4, 5.6.7.8],
        ports: [{name: a, port: 80}, {name: b, port: 53, protocol: UDP}]}}
---
{kind: Service, apiVersion: v1, metadata: {name: headless}, spec: {clusterIP: None}}
---
{kind: Service, apiVersion: v1, metadata: {name: node},
 spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}}
---
{kind: Service, apiVersion: v1, metadata: {name: outer},
 spec: {type: LoadBalancer, ports: [{port: 80, nodePort: 30081}], externalIPs: [1.2.3.4]},
 status: {loadBalancer: {ingress: [{ip: 9.9.9.9}, {hostname: b.example}, {ip: 10.9.9.9}]}}}
---
{kind: Service, apiVersion: v1, metadata: {name: pending},
 spec: {type: LoadBalancer, ports: [{port: 80, nodePort: 30082}]}}
---
{kind: Service, apiVersion: v1, metadata: {name: name},
 spec: {type: ExternalName, externalName: a.example}}
---
{kind: Endpoints, apiVersion: v1, metadata: {name: none}}
---
{kind: Endpoints, apiVersion: v1, metadata: {name: unready},
 subsets: [{notReadyAddresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]}
---
{kind: Endpoints, apiVersion: v1, metadata: {name: several}, subsets: [
 {addresses: [{ip: 10.0.0.1}, {ip: "fd00::2"}], ports: [{name: a, port: 80}, {name: b, port: 81}]},
 {addresses: [{ip: 10.0.0.3}]}]}
---
{kind: EndpointSlice, apiVersion: discovery.k8s.io/v1, metadata: {name: none}, addressType: IPv4,
 endpoints: []}
---
{kind: EndpointSlice, apiVersion: discovery.k8s.io/v1, metadata: {name: several},
 addressType: IPv4,
 ports: [{name: a, port: 80}, {name: b}, {name: c, port: 82}, {name: d, port: 83}],
 endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.3]}, {addresses: [10.0.0.4]},
             {addresses: [10.0.0.5]}, {addresses: [10.0.0.6]}]}
---
{kind: EndpointSlice, apiVersion: discovery.k8s.io/v1, metadata: {name: every}, addressType: IPv6,
 ports: [{}], endpoints: [{addresses: ["fd00::1"]}]}
---
{kind: IngressClass, apiVersion: networking.k8s.io/v1, metadata: {name: plain},
 spec: {controller: x.example/c}}
---
{kind: IngressClass, apiVersion: networking.k8s.io/v1, metadata: {name: usual,
   annotations: {ingressclass.kubernetes.io/is-default-class: "true"}},
 spec: {controller: x.example/c,
        parameters: {apiGroup: x.example, kind: Thing, name: t, scope: Cluster}}}
---
{kind: Ingress, apiVersion: networking.k8s.io/v1, metadata: {name: any},
 spec: {ingressClassName: plain, defaultBackend: &to {service: {name: a, port: {number: 80}}}}}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: many}
spec:
  ingressClassName: plain
  tls: [{hosts: [a.example]}]
  rules:
  - {http: &paths {paths: [{path: /, pathType: Prefix, backend: *to}]}}
  - {host: a.example, http: *paths}
  - {host: b.example, http: *paths}
  - {host: c.example, http: *paths}
  - {host: d.example, http: *paths}
status: {loadBalancer: {ingress: [{ip: 9.9.9.9}, {hostname: b.example}]}}
---
{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: {name: all},
 spec: {podSelector: {}}}
---
{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: {name: some}, spec: {podSelector:
 {matchLabels: {a: b}, matchExpressions: [{key: c, operator: NotIn, values: [y, x]}]}}}
---
{kind: IPAddress, apiVersion: networking.k8s.io/v1, metadata: {name: 192.168.1.1,
   labels: {ipaddress.kubernetes.io/ip-family: IPv4}},
 spec: {parentRef: {group: x.example, resource: Things, namespace: n, name: t}}}
---
{kind: ServiceCIDR, apiVersion: networking.k8s.io/v1, metadata: {name: more},
 spec: {cidrs: [10.97.0.0/16, "fd00:1::/112"]}}
"""
_STORAGE = """
{kind: PersistentVolume, apiVersion: v1, metadata: {name: free},
 spec: &disk {capacity: {storage: 1Gi}, accessModes: [ReadWriteMany, ReadWriteOnce],
              hostPath: {path: /x}}}
---
{kind: PersistentVolume, apiVersion: v1, metadata: {name: taken, finalizers: [tables.example/held]},
 spec: {capacity: {storage: 1.5Gi}, accessModes: [ReadOnlyMany], storageClassName: fast,
        persistentVolumeReclaimPolicy: Delete, volumeMode: Block,
        claimRef: {namespace: default, name: c}, volumeAttributesClassName: gold,
        csi: {driver: x.example, volumeHandle: v}},
 status: {phase: Failed, reason: Broken}}
---
{kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: waits},
 spec: {accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Gi}},
        storageClassName: slow, volumeAttributesClassName: gold}, status: {phase: Pending}}
---
{kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: bound},
 spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}},
        storageClassName: fast, volumeName: taken},
 status: {phase: Bound, capacity: {storage: 2Gi}, accessModes: [ReadOnlyMany, ReadWriteOnce]}}
---
{kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: goes,
   annotations: {volume.beta.kubernetes.io/storage-class: old}},
 spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, volumeName: v},
 status: {phase: Lost}}
---
{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: plain}, provisioner: x/y}
---
{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: usual,
   annotations: {storageclass.kubernetes.io/is-default-class: "true"}}, provisioner: x/y,
 reclaimPolicy: Retain, volumeBindingMode: WaitForFirstConsumer, allowVolumeExpansion: true}
---
{kind: CSIDriver, apiVersion: storage.k8s.io/v1, metadata: {name: plain.example}, spec: {}}
---
{kind: CSIDriver, apiVersion: storage.k8s.io/v1, metadata: {name: full.example},
 spec: {attachRequired: false, podInfoOnMount: true, storageCapacity: true, requiresRepublish: true,
        tokenRequests: [{audience: a}, {audience: b}],
        volumeLifecycleModes: [Persistent, Ephemeral]}}
---
{kind: CSINode, apiVersion: storage.k8s.io/v1, metadata: {name: one},
 spec: {drivers: [{name: a, nodeID: a}, {name: b, nodeID: b}]}}
---
{kind: CSIStorageCapacity, apiVersion: storage.k8s.io/v1, metadata: {name: some},
 storageClassName: plain, capacity: 5Gi}
---
{kind: VolumeAttachment, apiVersion: storage.k8s.io/v1, metadata: {name: a},
 spec: {attacher: x.example, nodeName: one, source: {persistentVolumeName: free}},
 status: {attached: true}}
---
{kind: VolumeAttributesClass, apiVersion: storage.k8s.io/v1, metadata: {name: gold},
 driverName: x.example, parameters: {a: b}}
"""
_CLUSTER = """
{kind: Namespace, apiVersion: v1, metadata: {name: other}}
---
{kind: ConfigMap, apiVersion: v1, metadata: {name: full}, data: {a: b}, binaryData: {c: "", d: ""}}
---
{kind: ConfigMap, apiVersion: v1, metadata: {name: empty}}
---
{kind: Secret, apiVersion: v1, metadata: {name: full}, stringData: {a: b, c: d}}
---
{kind: ServiceAccount, apiVersion: v1, metadata: {name: one}}
---
{kind: LimitRange, apiVersion: v1, metadata: {name: one}, spec: {limits: [{type: Pod}]}}
---
{kind: Node, apiVersion: v1, metadata: {name: bare}}
---
{kind: Node, apiVersion: v1, metadata: {name: one, labels: {node-role.kubernetes.io/worker: "",
   node-role.kubernetes.io/admin: "", kubernetes.io/role: old}},
 spec: {unschedulable: true}, status: {conditions: [{type: Ready, status: "True"}],
   addresses: [{type: ExternalIP, address: 1.1.1.1}, {type: InternalIP, address: 10.0.0.1},
               {type: InternalIP, address: 10.0.0.2}],
   nodeInfo: &info {kubeletVersion: v1.36.0, osImage: Linux, kernelVersion: "6.1",
     containerRuntimeVersion: "c://2", architecture: amd64, machineID: "", systemUUID: "",
     bootID: "", kubeProxyVersion: "", operatingSystem: linux}}}
---
{kind: Node, apiVersion: v1, metadata: {name: lost},
 status: {conditions: [{type: Ready, status: Unknown}], nodeInfo: {<<: *info, architecture: ""}}}
---
{kind: Lease, apiVersion: coordination.k8s.io/v1, metadata: {name: held},
 spec: {holderIdentity: me}}
---
{kind: Lease, apiVersion: coordination.k8s.io/v1, metadata: {name: free}}
---
{kind: RuntimeClass, apiVersion: node.k8s.io/v1, metadata: {name: one}, handler: runc}
---
{kind: PriorityClass, apiVersion: scheduling.k8s.io/v1, metadata: {name: high}, value: 9,
 preemptionPolicy: Never}
---
{kind: Event, apiVersion: v1, metadata: {name: old, namespace: default}, type: Warning, reason: Why,
 involvedObject: {kind: Pod, name: p, namespace: default, fieldPath: "spec.containers{web}"},
 message: " what ", firstTimestamp: "2024-01-01T00:00:00Z", lastTimestamp: "2025-01-01T00:00:00Z",
 count: 5, source: {component: kubelet, host: one}}
---
{kind: Event, apiVersion: v1, metadata: {name: bare, namespace: default},
 involvedObject: {kind: Pod, namespace: default}}
---
{kind: Event, apiVersion: events.k8s.io/v1, metadata: {name: new, namespace: default}, type: Normal,
 reason: Why, action: Did, regarding: {kind: Pod, name: p, namespace: default}, note: what,
 eventTime: "2024-01-01T00:00:00.000001Z", reportingController: x.example/c, reportingInstance: one,
 series: {count: 3, lastObservedTime: "2025-01-01T00:00:00.000001Z"}}
---
{kind: Event, apiVersion: events.k8s.io/v1, metadata: {name: once, namespace: default},
 type: Normal, reason: Why, action: Did, regarding: {kind: Pod, name: p, namespace: default},
 note: what, eventTime: "2024-01-01T00:00:00.000001Z", reportingController: x.example/c,
 reportingInstance: one}
---
{kind: HorizontalPodAutoscaler, apiVersion: autoscaling/v1, metadata: {name: first},
 spec: {maxReplicas: 5, targetCPUUtilizationPercentage: 70, scaleTargetRef: &scaled
        {apiVersion: apps/v1, kind: Deployment, name: web}},
 status: {currentReplicas: 2, desiredReplicas: 3, currentCPUUtilizationPercentage: 40}}
---
{kind: HorizontalPodAutoscaler, apiVersion: autoscaling/v1, metadata: {name: unmeasured},
 spec: {minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 70,
        scaleTargetRef: *scaled}}
"""
_QUOTAS = """
{kind: ResourceQuota, apiVersion: v1, metadata: {name: none}, spec: {}}
---
{kind: ResourceQuota, apiVersion: v1, metadata: {name: some},
 spec: {hard: {pods: "5", limits.cpu: "2"}},
 status: {hard: {pods: "5", limits.cpu: "2", requests.memory: 1Gi, limits.memory: 2Gi, cpu: 500m},
          used: {pods: "3", limits.cpu: 100m, requests.memory: 1Mi}}}
"""
_MEASURED = """
- [{type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1Gi}}},
   {type: Pods, pods: {metric: {name: m}, target: {type: AverageValue, averageValue: "5"}}}]
- [{type: Resource, resource: {name: memory, current: {averageValue: 1Mi}}},
   {type: Pods, pods: {metric: {name: m}, current: {averageValue: "7"}}}]
- [{type: Object, object: {metric: {name: m}, target: {type: Value, value: "5"},
     describedObject: &what {kind: Service, name: s, apiVersion: v1}}},
   {type: Object, object: {metric: {name: m}, target: {type: AverageValue, averageValue: "5"},
     describedObject: *what}},
   {type: External, external: {metric: {name: m}, target: {type: Value, value: "5"}}}]
- [{type: Object, object: {metric: {name: m}, current: {value: "6"}, describedObject: *what}},
   {type: Object, object: {metric: {name: m}, current: {averageValue: "7", value: "0"},
     describedObject: *what}}]
- [{type: External, external: {metric: {name: m}, target: {type: AverageValue, averageValue: "5"}}},
   {type: ContainerResource, containerResource: {name: cpu, container: c,
     target: {type: Utilization, averageUtilization: 60}}}]
- [{type: External, external: {metric: {name: m}, current: {averageValue: "6"}}},
   {type: ContainerResource, containerResource: {name: cpu, container: c,
     current: {averageUtilization: 50, averageValue: "1"}}}]
- [{type: External, external: {metric: {name: m}, target: {type: Value, value: "5"}}},
   {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
- []
"""
_RULES = """
{kind: Role, apiVersion: rbac.authorization.k8s.io/v1, metadata: {name: one}, rules: []}
---
{kind: RoleBinding, apiVersion: rbac.authorization.k8s.io/v1, metadata: {name: several},
 roleRef: &to {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view},
 subjects: [{kind: User, name: u, apiGroup: rbac.authorization.k8s.io},
            {kind: User, name: v, apiGroup: rbac.authorization.k8s.io},
            {kind: Group, name: g, apiGroup: rbac.authorization.k8s.io},
            {kind: ServiceAccount, name: s, namespace: n}]}
---
{kind: RoleBinding, apiVersion: rbac.authorization.k8s.io/v1, metadata: {name: nobody},
 roleRef: *to}
---
{kind: ValidatingAdmissionPolicy, apiVersion: admissionregistration.k8s.io/v1,
 metadata: {name: rules}, spec: {validations: [{expression: "true"}, {expression: "true"}],
   paramKind: {apiVersion: v1, kind: ConfigMap},
   matchConstraints: {resourceRules: [{apiGroups: [x.example], apiVersions: [v1],
                                       operations: [CREATE], resources: [things]}]}}}
---
{kind: ValidatingAdmissionPolicyBinding, apiVersion: admissionregistration.k8s.io/v1,
 metadata: {name: plain}, spec: {policyName: other, validationActions: [Deny]}}
---
{kind: ValidatingAdmissionPolicyBinding, apiVersion: admissionregistration.k8s.io/v1,
 metadata: {name: named}, spec: {policyName: other, validationActions: [Deny],
   paramRef: {name: p, namespace: n, parameterNotFoundAction: Deny}}}
---
{kind: ValidatingAdmissionPolicyBinding, apiVersion: admissionregistration.k8s.io/v1,
 metadata: {name: anywhere}, spec: {policyName: other, validationActions: [Deny],
   paramRef: {name: p, parameterNotFoundAction: Deny}}}
---
{kind: ValidatingAdmissionPolicyBinding, apiVersion: admissionregistration.k8s.io/v1,
 metadata: {name: chosen}, spec: {policyName: other, validationActions: [Deny],
   paramRef: {parameterNotFoundAction: Deny, selector: {matchLabels: {b: c, a: d},
     matchExpressions: [{key: e, operator: In, values: [f, g]}, {key: h, operator: Exists}]}}}}
---
{kind: MutatingAdmissionPolicy, apiVersion: admissionregistration.k8s.io/v1,
 metadata: {name: changes}, spec: {reinvocationPolicy: Never, mutations: [
     {patchType: ApplyConfiguration, applyConfiguration: {expression: "Object{}"}}],
   matchConstraints: {resourceRules: [{apiGroups: [x.example], apiVersions: [v1],
                                       operations: [CREATE], resources: [things]}]}}}
---
{kind: MutatingAdmissionPolicyBinding, apiVersion: admissionregistration.k8s.io/v1,
 metadata: {name: named}, spec: {policyName: changes,
   paramRef: {name: p, namespace: n, parameterNotFoundAction: Deny}}}
---
{kind: ValidatingWebhookConfiguration, apiVersion: admissionregistration.k8s.io/v1,
 metadata: {name: two}, webhooks: [
  {name: a.x.example, sideEffects: None, admissionReviewVersions: [v1],
   clientConfig: {url: "https://x.example"}},
  {name: b.x.example, sideEffects: None, admissionReviewVersions: [v1],
   clientConfig: {url: "https://x.example"}}]}
---
{kind: MutatingWebhookConfiguration, apiVersion: admissionregistration.k8s.io/v1,
 metadata: {name: none}}
"""


class _Loader(yaml.SafeLoader):
    """What one document names, the next ones may refer to."""

    def compose_document(self) -> Any:
        self.get_event()
        node = self.compose_node(None, None)
        self.get_event()
        return node


def examples() -> Iterator[dict[str, Any]]:
    """Give all of them."""
    for text in (_CLUSTER, _WORKLOADS, _NETWORK, _STORAGE, _RULES):
        yield from yaml.load_all(text, _Loader)
    for pod in yaml.safe_load_all(_PODS):
        spec = {"containers": [{"name": "web", "image": "web:1"}], **pod.get("spec", {})}
        yield {"kind": "Pod", "apiVersion": "v1", **pod, "spec": spec}
    measured = yaml.safe_load(_MEASURED)
    for number, (wanted, found) in enumerate(zip(measured[::2], measured[1::2], strict=True)):
        for known in (False, True):
            yield _autoscaler(f"second-{number}-{known}".lower(), wanted, found if known else [])
    yield _signing_request("waits")
    for state in ("Approved", "Denied", "Failed"):
        condition = {"type": state, "status": "True", "reason": "Test", "message": "test"}
        yield {**_signing_request(state.lower()), "status": {"conditions": [condition]}}
    yield from yaml.safe_load_all(_QUOTAS)  # last: with them there could be no Pods


def _autoscaler(name: str, wanted: list[Any], found: list[Any]) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "maxReplicas": 5, "metrics": wanted}
    return {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v2",
        "metadata": {"name": name},
        "spec": spec,
        "status": {"currentMetrics": found, "currentReplicas": 3, "desiredReplicas": 4},
    }


def _signing_request(name: str) -> dict[str, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    pem = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    spec = {
        "request": base64.b64encode(pem).decode(),
        "signerName": "x.example/signer",
        "usages": ["client auth"],
    }
    if name != "waits":
        spec["expirationSeconds"] = 90061
    return {
        "kind": "CertificateSigningRequest",
        "apiVersion": "certificates.k8s.io/v1",
        "metadata": {"name": name},
        "spec": spec,
    }
