"""The page for Prometheus, what is written about it, and what is built on it, say the same."""

import json
import re
from pathlib import Path

import pytest
import yaml
from koproxy_harness import Issuer, KubeAPI
from prometheus_client.parser import text_string_to_metric_families
from support.running import Client, koproxy

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"
NAME = re.compile(r"\b(?:koproxy|process)_[a-z_]+")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a koproxy shows that was asked for this and that."""
    folder = tmp_path_factory.mktemp("koproxy")
    (folder / "policy.yaml").write_text(POLICY)
    flags = (
        f"--audit-policy-file={folder}/policy.yaml",
        f"--audit-log-path={folder}/audit.log",
        f"--access-log-path={folder}/access.log",
    )
    with Issuer() as issuer, KubeAPI() as api, koproxy(issuer, api, folder, *flags) as running:
        client = Client(running.port, folder / "kube-oidc-proxy.crt")
        for token in (issuer.token(sub="jane"), issuer.token(wrong="expired")):
            client.get("/api/v1/pods", token)
        client.close()
        status, text = running.health("/metrics")
        assert status == 200
        return text


def shown(page: str) -> set[str]:
    """The families as they are written of, without the parts of a histogram."""
    return {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(page)
    }


def test_each_family_is_written_of(page: str) -> None:
    rows = (ROOT / "docs" / "metrics.md").read_text().splitlines()
    written = {name for row in rows for name in re.findall(r"^\| `(koproxy_[a-z_]+)`", row)}
    assert written == {name for name in shown(page) if name.startswith("koproxy_")}


def test_alerts_and_dashboard_ask_for_what_there_is(page: str) -> None:
    there = {
        sample.name for family in text_string_to_metric_families(page) for sample in family.samples
    } | shown(page)
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    asked = [rule["expr"] for group in groups for rule in group["rules"]]
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    asked += [target["expr"] for panel in panels for target in panel["targets"]]
    names = {name for expression in asked for name in NAME.findall(expression)}
    assert names <= there
    drawn = {re.sub("_(bucket|sum|count)$", "", name) for name in names}
    assert {name for name in shown(page) if name.startswith("koproxy_")} <= drawn


def test_each_alert_is_tested_and_written_of() -> None:
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    tested = (MONITORING / "alerts_test.yaml").read_text()
    written = (ROOT / "docs" / "metrics.md").read_text()
    assert alerts == set(re.findall(r'alertname="(\w+)"', tested))
    assert alerts == set(re.findall(r"`(Koproxy\w+)`", written))
