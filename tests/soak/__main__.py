"""Runs the soak: ``python -m soak --seconds 600`` in ``tests``, after ``kind/build``.

It prints what it did and saw; its exit status is 1 if something was there that must never be.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from e2e.running import Koproxy, KoproxyStarter, Side
from koproxy_harness import Issuer
from localcluster.apiserver import start_api_server, start_etcd
from localcluster.cluster import CLUSTER_ROLE, MANIFESTS, NAMESPACE, Cluster, write_credential
from localcluster.dex import ANNA, BERT, CARL, PEOPLE, Dex
from localcluster.local import start_nodes
from localcluster.pki import Authority
from localcluster.processes import Processes, stop_recorded

from soak.findings import Findings
from soak.measuring import Measuring
from soak.people import Asking, Person
from soak.rotating import Restarting, Rotating, write_configuration
from soak.sessions import Session
from soak.watching import NAMESPACES, Watcher, Writer

DIRECTORY = Path(__file__).parents[2] / "build" / "soak"
POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"
WATCHES, ASKING, OURS, SHORT = 200, 4, 13, 2


def main() -> int:
    """Begin the servers, have everything go on for a time, end, and judge."""
    arguments = argparse.ArgumentParser(prog="soak")
    arguments.add_argument("--seconds", type=int, default=600)
    seconds = arguments.parse_args().seconds
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for old in DIRECTORY.glob("audit*"):
        old.unlink()
    stop_recorded(DIRECTORY)
    processes = Processes(DIRECTORY)
    try:
        with Issuer() as issuer:
            return _soak(processes, issuer, seconds)
    finally:
        processes.stop()


def _soak(processes: Processes, issuer: Issuer, seconds: int) -> int:
    authority = Authority(DIRECTORY / "pki")
    api = start_api_server(processes, authority, start_etcd(processes))
    dex = Dex(processes, authority)
    dex.start()
    pod_log = DIRECTORY / "pod.log"
    pod_log.write_text("")
    start_nodes(processes, authority, api, pod_log)
    api.admin("apply", "-f", CLUSTER_ROLE, "-f", MANIFESTS / "local.yaml")
    kubeconfig = write_credential(api.admin, api.url, api.ca, DIRECTORY)
    cluster = Cluster(api.url, api.ca, api.admin, kubeconfig, dex.issuer, lambda _: None)
    _furnish(cluster)

    configuration = DIRECTORY / "authentication.yaml"
    write_configuration(configuration, issuer, dex, 0)
    policy = DIRECTORY / "policy.yaml"
    policy.write_text(POLICY)
    koproxy = KoproxyStarter(processes, authority).with_file(
        "koproxy",
        kubeconfig,
        configuration,
        [
            *("--client-ca-file", authority.certificate),
            *("--audit-policy-file", policy),
            *("--audit-log-path", DIRECTORY / "audit.log"),
            *("--audit-log-maxsize", "16"),
            *("--access-log-path", DIRECTORY / "access.log"),
            *("--access-log-sample-rate", "0.01"),
            "--readiness-require-all-issuers",
        ],
    )
    koproxy.wait_until_ready()

    findings = Findings()
    people = [_ours(issuer, number) for number in range(OURS)]
    people += [_at_dex(dex, email) for email in (ANNA, BERT, CARL)]
    direct = Side(cluster.url, cluster.ca, api.admin_token)
    measuring = Measuring(koproxy.server.process.pid, findings)
    work: list[Callable[[], None]] = [
        Writer(direct, findings).run,
        measuring.run,
        Rotating(authority, issuer, dex, configuration, cluster, people, findings).run,
        Restarting(processes, api, dex, people, findings, seconds).run,
    ]
    for number in range(WATCHES):
        person = people[number % len(people)]
        work.append(Watcher(koproxy, person, number % NAMESPACES, findings).run)
    for _ in range(ASKING):
        work.append(Asking(koproxy, people, lambda: issuer.token(wrong="expired"), findings).run)
    for number in range(SHORT):
        work.append(Session(koproxy, people[number], f"exec-{number}", 30, findings).run)
    work.append(Session(koproxy, people[2], "exec-long", 100000, findings).run)

    threads = [threading.Thread(target=_guarded(each, findings)) for each in work]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    findings.ending.set()
    # Watches go on until koproxy ends them.
    metrics = _metrics(koproxy)
    koproxy.server.process.send_signal(signal.SIGTERM)
    status = koproxy.server.process.wait(60)
    for thread in threads:
        thread.join(60)
    if status != 0:
        findings.never(f"koproxy ends with {status}")
    measuring.judge()
    log = koproxy.server.log.read_text()
    if "Traceback" in log or "Unhandled" in log:
        findings.never(f"a traceback is in {koproxy.server.log}")
    events = _audited(findings)
    _print(seconds, findings, measuring, metrics, events)
    return 1 if findings.wrong else 0


def _furnish(cluster: Cluster) -> None:
    """Give people something to see, and the right to."""
    group = "rbac.authorization.k8s.io"
    everybody = {"apiGroup": group, "kind": "Group", "name": "system:authenticated"}
    objects: list[dict[str, object]] = []
    for number in range(NAMESPACES):
        name = f"soak-{number}"
        objects += [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "counter", "namespace": name},
                "data": {"number": "0"},
            },
        ]
    objects.append(
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "soak"},
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["configmaps", "pods", "pods/exec"],
                    "verbs": ["get", "list", "watch", "create"],
                }
            ],
        }
    )
    objects.append(
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "soak"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "soak"},
            "subjects": [everybody],
        }
    )
    cluster.admin.apply(*objects)
    cluster.admin("wait", f"--namespace={NAMESPACE}", "--for=condition=Ready", "pod", "--all")


def _ours(issuer: Issuer, number: int) -> Person:
    name, groups = f"person-{number}", [f"group-{number}", "people"]
    return Person(
        f"harness:{name}",
        frozenset(groups),
        lambda: issuer.token(sub=name, groups=groups, lifetime=120),
    )


def _at_dex(dex: Dex, email: str) -> Person:
    return Person(
        f"dex:{email}", frozenset(PEOPLE[email]), lambda: dex.issuer.log_in(email), at_dex=True
    )


def _guarded(run: Callable[[], None], findings: Findings) -> Callable[[], None]:
    def guarded() -> None:
        try:
            run()
        except Exception as problem:  # noqa: BLE001 (it is shown, and fails the soak)
            findings.never(f"a part of the soak itself failed: {problem!r}")

    return guarded


def _metrics(koproxy: Koproxy) -> dict[str, float]:
    """All requests of which koproxy knows, by status."""
    with urllib.request.urlopen(f"{koproxy.health}/metrics", timeout=30) as answer:
        page = answer.read().decode()
    found: Counter[str] = Counter()
    for line in page.splitlines():
        if line.startswith("koproxy_request_total{"):
            labels, _, number = line.rpartition(" ")
            code = labels.partition('code="')[2].partition('"')[0]
            found[code] += int(float(number))
    return dict(found)


def _audited(findings: Findings) -> Counter[str]:
    """Count events by their stage; each request that was received has come to its end."""
    stages: Counter[str] = Counter()
    open_: set[str] = set()
    ended: set[str] = set()
    for file in DIRECTORY.glob("audit*"):
        for line in file.read_text().splitlines():
            event = json.loads(line)
            stages[event["stage"]] += 1
            if event["stage"] == "RequestReceived":
                open_.add(event["auditID"])
            elif event["stage"] == "ResponseComplete":
                ended.add(event["auditID"])
    if open_ != ended:
        findings.never(f"{len(open_ ^ ended)} requests have a beginning or an end alone")
    return stages


def _print(
    seconds: int,
    findings: Findings,
    measuring: Measuring,
    metrics: dict[str, float],
    events: Counter[str],
) -> None:
    rows = [(what, str(number)) for what, number in sorted(findings.counts.items())]
    rows.append(("longest time without a good answer, s", f"{findings.longest_pause:.2f}"))
    rows.append(
        ("requests by status", ", ".join(f"{code}: {metrics[code]:g}" for code in sorted(metrics)))
    )
    rows.append(
        ("audit events", ", ".join(f"{stage}: {events[stage]}" for stage in sorted(events)))
    )
    rows += [
        (f"{what}: medians of five fifths / the most", text) for what, text in measuring.lines()
    ]
    print(f"{seconds} s, {WATCHES} watches, {ASKING} asking, {SHORT + 1} exec sessions\n")
    print("\n".join(f"{what:<64} {text}" for what, text in rows))
    print("\n" + ("\n".join(findings.wrong) or "nothing was there that must never be"))


if __name__ == "__main__":
    sys.exit(main())
