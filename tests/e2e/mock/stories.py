"""What people do with kubectl every day, as stories to tell two API servers.

A story is a list of steps; it plays in a namespace of its own, called `story`.
"""

from __future__ import annotations

from dataclasses import dataclass

from e2e.mock.stories_sparse import DESCRIBED, SPARSE, UNLIKE


@dataclass(frozen=True)
class Step:
    """One kubectl command, as in a shell but for quotes; `given` is its standard input.

    `shows` is False where the two servers may print different things and only the exit status
    counts; `editor` is a shell command that changes a file.
    """

    line: str
    given: str = ""
    shows: bool = True
    editor: str = ""


def step(line: str, given: str = "", *, shows: bool = True, editor: str = "") -> Step:
    return Step(line, given, shows, editor)


CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: shop}}
data: {colour: red, size: "1"}
"""
TWO = """
apiVersion: v1
kind: ConfigMap
metadata: {name: one, labels: {n: "1", odd: "yes"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two, labels: {n: "2"}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: "nginx:1", ports: [{containerPort: 80, name: http}]}
  - {name: side, image: "busybox:1"}
"""
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, pattern: "^[0-9* /]+$"}
              replicas: {type: integer, minimum: 1, maximum: 10, default: 1}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port]
                items:
                  type: object
                  required: [port]
                  properties: {port: {type: integer}, name: {type: string}}
          status:
            type: object
            properties: {replicas: {type: integer}}
"""


def crontab(spec: str) -> str:
    """A custom object."""
    return (
        "apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: mine}\n"
        f"spec: {{{spec}}}\n"
    )


DEPLOYMENT = "{.spec.replicas} {.spec.template.spec.containers[*].image} {.metadata.generation}"

STORIES: dict[str, list[Step]] = {
    "config maps": [
        step("create configmap plain --from-literal=a=b --from-literal=c=d"),
        step("create configmap plain --from-literal=a=b"),
        step("get configmap plain -o yaml"),
        step("get configmap plain -o json"),
        step("get cm -o name"),
        step("get cm"),
        step("get cm plain -o jsonpath={.data.a}"),
        step("get cm -o custom-columns=NAME:.metadata.name,A:.data.a"),
        step("apply -f -", CONFIG),
        step("apply -f -", CONFIG),
        step("apply -f -", CONFIG.replace("red", "blue")),
        step("diff -f -", CONFIG.replace("red", "green"), shows=False),
        step("diff -f -", CONFIG.replace("red", "blue")),
        step("get cm settings -o jsonpath={.data.colour}"),
        step("label cm settings tier=front app-"),
        step("label cm settings tier=back"),
        step("label cm settings tier=back --overwrite"),
        step("annotate cm settings note=hello"),
        step("get cm settings --show-labels"),
        step("get cm -l tier=back -o name"),
        step("get cm -l 'tier in (front, back), !app' -o name"),
        step("get cm --field-selector metadata.name!=settings -o name"),
        step("edit cm settings", editor="sed -i s/blue/pink/"),
        step("edit cm settings", editor="true"),
        step("get cm settings -o jsonpath={.data}"),
        step("replace -f -", CONFIG.replace("red", "grey")),
        step("get cm settings -o jsonpath={.data}"),
        step("describe cm settings"),
        step("delete cm settings"),
        step("delete cm settings"),
        step("delete cm settings --ignore-not-found"),
        step("get cm settings"),
        step("delete cm --all"),
    ],
    "patches": [
        step("apply -f -", CONFIG),
        step('patch cm settings --type=merge -p {"data":{"colour":null,"shape":"round"}}'),
        step("get cm settings -o jsonpath={.data}"),
        step('patch cm settings --type=json -p [{"op":"add","path":"/data/x","value":"1"}]'),
        step('patch cm settings --type=json -p [{"op":"remove","path":"/data/none"}]'),
        step('patch cm settings --type=json -p [{"op":"test","path":"/data/x","value":"2"}]'),
        step('patch cm settings -p {"data":{"size":"2"}}'),
        step('patch cm settings -p {"data":{"size":"2"}}'),
        step('patch cm settings -p {"data":{"size":3}}', shows=False),
        step("get cm settings -o jsonpath={.data}"),
        step("apply -f -", POD),
        step('patch pod web -p {"spec":{"containers":[{"name":"side","image":"busybox:2"}]}}'),
        step("get pod web -o jsonpath={.spec.containers[*].name}{.spec.containers[*].image}"),
        step('patch cm none -p {"data":{}}'),
    ],
    "deployments": [
        step("create deployment web --image=nginx:1 --replicas=2"),
        step("get deployments"),
        step("get deploy web -o wide"),
        step("scale deploy/web --replicas=3"),
        step("scale deploy/web --replicas=4 --current-replicas=9"),
        step(f"get deploy web -o jsonpath={DEPLOYMENT}"),
        step("set image deploy/web nginx=nginx:2"),
        step("set env deploy/web A=b"),
        step("set resources deploy/web --limits=cpu=1"),
        step(f"get deploy web -o jsonpath={DEPLOYMENT}"),
        step("rollout restart deploy/web"),
        step("rollout pause deploy/web"),
        step("rollout resume deploy/web"),
        step("autoscale deploy/web --max=5"),
        step("get hpa -o name"),
        step("get deploy -l app=web -o name"),
        step("delete deploy web"),
        step("get deploy"),
    ],
    "pods": [
        step("run one --image=nginx --restart=Never"),
        step("run two --image=nginx --dry-run=client -o yaml"),
        step("run two --image=nginx --dry-run=server -o name"),
        step("get pods"),
        step("apply -f -", POD),
        step("get pods"),
        step("get pods -o wide"),
        step("get po web --no-headers"),
        step("get pods --field-selector=status.phase=Pending -o name"),
        step("get pods --field-selector=status.phase=Running -o name"),
        step("get pods --field-selector=spec.colour=red"),
        step("get pods -A -l app=web"),
        step("wait --for=jsonpath={.status.phase}=Pending pod/web --timeout=5s"),
        step("delete pod one --now"),
        step("wait --for=delete pod/one --timeout=5s"),
        step("delete pods -l app=web"),
        step("get pods"),
    ],
    "everything else that is created": [
        step("create secret generic key --from-literal=a=b"),
        step("create secret docker-registry reg --docker-username=a --docker-password=b"),
        step("get secrets"),
        step("create serviceaccount bot"),
        step("get sa bot"),
        step("create quota few --hard=pods=2"),
        step("create role reader --verb=get,list --resource=pods,pods/log"),
        step("create clusterrole story-reader --verb=get --non-resource-url=/metrics"),
        step("create rolebinding bind --role=reader --group=dev --serviceaccount=story:bot"),
        step("create clusterrolebinding story-bind --clusterrole=view --user=jane"),
        step("get role,rolebinding"),
        step("get rolebinding bind -o wide"),
        step("describe role reader"),
        step("describe clusterrolebinding story-bind"),
        step("create job once --image=busybox -- true"),
        step("create cronjob often --image=busybox --schedule='* * * * *' -- true"),
        step("get jobs,cronjobs", shows=False),
        step("create ingress shop --rule=shop.example.org/*=web:80"),
        step("get ingress"),
        step("create poddisruptionbudget most --selector=app=web --min-available=1"),
        step("get pdb"),
        step("create priorityclass story-high --value=10"),
        step("get priorityclass story-high", shows=False),
        step("delete clusterrole,clusterrolebinding,priorityclass story-reader", shows=False),
        step("delete clusterrolebinding story-bind"),
        step("delete priorityclass story-high"),
    ],
    "as little as possible": [
        step("apply -f -", SPARSE),
        *(step(f"describe {each}") for each in DESCRIBED),
        *(step(f"describe {each}", shows=False) for each in UNLIKE),
        step("get deploy,sts,rs,ds,rc,cj,pdb,pvc,hpa"),
        step("get pod p -o jsonpath={.spec.dnsPolicy}{.spec.containers[0].imagePullPolicy}"),
        step("get secret sec -o jsonpath={.data.a}"),
        step("scale deploy/d --current-replicas=1 --replicas=2"),
        step("rollout status sts/s --timeout=1s", shows=False),
        step("rollout status ds/ds --timeout=1s", shows=False),
        step("debug p --image=busybox --container=dbg"),
        step("get pod p -o jsonpath={.spec.ephemeralContainers[*].name}"),
        step("apply -f -", SPARSE),
        step("delete -f - --now --wait=false", SPARSE),
    ],
    "server-side apply": [
        step("apply --server-side -f -", CONFIG),
        step("get cm settings -o yaml --show-managed-fields"),
        step("apply --server-side --field-manager=other -f -", CONFIG.replace("red", "blue")),
        step(
            "apply --server-side --field-manager=other --force-conflicts -f -",
            CONFIG.replace("red", "blue"),
        ),
        step("get cm settings -o yaml --show-managed-fields"),
        step("apply --server-side -f -", CONFIG.replace("colour: red, ", "")),
        step("get cm settings -o jsonpath={.data}"),
        step(
            "apply --server-side --field-manager=other -f -",
            CONFIG.replace('colour: red, size: "1"', ""),
        ),
        step("get cm settings -o jsonpath={.data}"),
        step("apply -f -", CONFIG.replace("settings", "client")),
        step("apply --server-side -f -", CONFIG.replace("settings", "client")),
        step("get cm client -o yaml --show-managed-fields"),
        step("apply --server-side --dry-run=server -f -", CONFIG.replace("settings", "dry")),
        step("get cm dry"),
    ],
    "custom resources": [
        step("apply -f -", DEFINITION),
        step("wait --for=condition=Established crd/crontabs.stable.example.com --timeout=10s"),
        step("api-resources --api-group=stable.example.com"),
        step("apply -f -", crontab('cronSpec: "* *"')),
        step("get ct"),
        step("get crontab mine -o jsonpath={.spec}{.metadata.generation}"),
        step("scale ct/mine --replicas=3"),
        step("get ct mine -o jsonpath={.spec}{.metadata.generation}"),
        step("apply -f -", crontab('cronSpec: "* *", replicas: 50')),
        step("apply -f -", crontab("replicas: 2")),
        step("apply -f -", crontab('cronSpec: "hourly"')),
        step("apply -f -", crontab('cronSpec: "*", colour: red')),
        step('patch ct mine --type=merge -p {"spec":{"cronSpec":5}}'),
        step('patch ct mine --type=merge --subresource=status -p {"status":{"replicas":2}}'),
        step("get ct mine -o jsonpath={.status}{.metadata.generation}"),
        step("apply --server-side -f -", crontab('cronSpec: "*", ports: [{port: 1, name: a}]')),
        step(
            "apply --server-side --force-conflicts -f -",
            crontab('cronSpec: "*", ports: [{port: 1, name: a}]'),
        ),
        step(
            "apply --server-side --field-manager=b -f -",
            crontab('cronSpec: "*", ports: [{port: 2, name: b}]'),
        ),
        step("get ct mine -o jsonpath={.spec.ports}"),
        step("delete crd crontabs.stable.example.com"),
        step("get ct", shows=False),
    ],
    "who may do what": [
        step("create role reader --verb=get,list --resource=pods"),
        step("create rolebinding bind --role=reader --group=dev"),
        step("auth whoami --as=jane --as-group=dev"),
        step("auth can-i list pods --as=jane --as-group=dev"),
        step("auth can-i delete pods --as=jane --as-group=dev"),
        step("auth can-i --list --as=jane --as-group=dev", shows=False),
        step("get pods --as=jane --as-group=dev"),
        step("get secrets --as=jane --as-group=dev"),
        step("get nodes --as=jane"),
        step("create cm x --as=jane"),
        step("delete rolebinding bind --as=jane"),
        step("get --raw /version --as=system:anonymous", shows=False),
        step("get --raw /metrics --as=jane"),
        step("create clusterrolebinding mine --clusterrole=cluster-admin --user=jane --as=jane"),
        step("auth reconcile -f -", "", shows=False),
    ],
    "mistakes": [
        step("create cm Big_Name"),
        step("apply -f -", CONFIG + "colour: red\n"),
        step("apply -f - --validate=warn", CONFIG + "colour: red\n"),
        step("apply -f -", CONFIG.replace("ConfigMap", "Car")),
        step("apply -f -", CONFIG.replace("v1", "v7")),
        step("apply -f -", CONFIG.replace("settings", "a").replace("data:", "namespace: x\ndata:")),
        step("create -f - -n nowhere", CONFIG),
        step("get cars"),
        step("get cm -l 'a b'"),
        step("get cm -l 'a in b'"),
        step("get cm --field-selector data=x"),
        step("create deployment web --image="),
        step("apply -f -", POD.replace("- {name: main", "- {nam: main")),
        step("apply -f -", POD.replace("containerPort: 80", "containerPort: eighty")),
        step("scale deploy/none --replicas=1"),
        step("delete cm one two"),
    ],
    "lists": [
        step("apply -f -", TWO),
        step("get cm --chunk-size=1 -o name"),
        step("get cm --sort-by=.metadata.name"),
        step("get cm -l n=1 -o name"),
        step("get cm -l n!=1 -o name"),
        step("get cm -l n -o name"),
        step("get cm -l !odd -o name"),
        step("get cm -l 'n notin (2,3)' -o name"),
        step("get cm,secrets -o name"),
        step("get cm one two -o name"),
        step("get cm one three -o name"),
        step("get cm -o jsonpath={range.items[*]}{.metadata.name}{end}"),
        step("delete cm -l odd=yes"),
        step("delete -f -", TWO),
    ],
    "nodes": [
        step(
            "apply -f -",
            "apiVersion: v1\nkind: Node\nmetadata: {name: story-node, labels: {disk: ssd}}\n",
        ),
        step("cordon story-node"),
        step("cordon story-node"),
        step("get nodes story-node", shows=False),
        step("uncordon story-node"),
        step("taint node story-node a=b:NoSchedule", shows=False),
        step("label node story-node disk-"),
        step("delete node story-node"),
    ],
}
