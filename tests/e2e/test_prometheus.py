"""Prometheus' own tool on what koproxy shows, and on the alerts and the dashboard made of it."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
from http.client import HTTPConnection
from pathlib import Path

import yaml
from e2e.running import Koproxy
from localcluster.binaries import binary
from localcluster.cluster import Cluster
from localcluster.dex import ANNA

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"


def promtool(*arguments: str | Path, given: str = "") -> str:
    """What it says, of nothing that is wrong."""
    done = subprocess.run(
        [binary("promtool"), *arguments],
        input=given,
        capture_output=True,
        text=True,
        cwd=MONITORING,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_the_page_is_as_prometheus_wants_it(cluster: Cluster, koproxy: Koproxy) -> None:
    token = cluster.issuer.log_in(ANNA)
    assert koproxy.get("/api/v1/namespaces/shop/pods", token).status == 200
    assert koproxy.get("/api/v1/nodes", token).status == 403
    assert koproxy.get("/api", "nobody").status == 401
    connection = HTTPConnection(urllib.parse.urlsplit(koproxy.health).netloc)
    connection.request("GET", "/metrics")
    page = connection.getresponse().read().decode()
    connection.close()
    assert 'koproxy_request_total{code="200",decision="authenticated",verb="list"}' in page
    assert promtool("check", "metrics", given=page) == ""


def test_alerts_can_be_asked_for_and_fire_when_they_should() -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yaml")
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yaml")


def test_the_dashboard_s_questions_can_be_asked(tmp_path: Path) -> None:
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [
        {
            "record": f"panel:{number}",
            "expr": each.replace("$__rate_interval", "5m").replace("$job", ".*"),
        }
        for number, each in enumerate(asked)
    ]
    assert not [rule for rule in rules if "$" in rule["expr"]]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"SUCCESS: {len(asked)} rules found" in promtool("check", "rules", file)
