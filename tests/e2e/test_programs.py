"""Other programs than kubectl's plain commands: `kubectl proxy`, and Helm."""

import json
import re
import subprocess
import urllib.request
from pathlib import Path

from e2e.running import running
from e2e.upgrades import BOTH, assert_upgraded
from localcluster.binaries import binary
from localcluster.cluster import NAMESPACE, POD
from localcluster.kubectl import Kubectl

MEGABYTE = 1 << 20
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: teashop\nversion: 0.1.0\n",
    "values.yaml": "tea: 3\n",
    "templates/prices.yaml": (
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata:\n"
        "  name: {{ .Release.Name }}-prices\n"
        "data:\n"
        "  tea: {{ .Values.tea | quote }}\n"
    ),
}


def behind_proxy(url: str, directory: Path) -> Kubectl:
    """kubectl without a login, since who listens at `url` logs in for it."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "proxy", "cluster": {"server": url}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy"}}],
        "current-context": "proxy",
    }
    path = directory / "proxy.kubeconfig"
    path.write_text(json.dumps(config))
    return Kubectl(path)


@BOTH
def test_kubectl_proxy(anna: Kubectl, env: dict[str, str], tmp_path: Path) -> None:
    with running(anna, "proxy", "--port=0", "--disable-filter") as proxy:
        found = re.search(r"127\.0\.0\.1:\d+$", proxy.line_with("Starting to serve on"))
        assert found is not None
        url = f"http://{found.group()}"
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{POD}"
        with urllib.request.urlopen(f"{url}{path}", timeout=30) as answer:
            assert json.load(answer)["metadata"]["name"] == POD

        kubectl = behind_proxy(url, tmp_path)
        review = json.loads(kubectl("auth", "whoami", "-o", "json"))
        assert review["status"]["userInfo"]["username"] == "anna@example.com"
        sent = b"through two proxies\n" * 50_000
        done = kubectl.run(
            *("exec", "--stdin", "-v=6", f"--namespace={NAMESPACE}", POD),
            *("--", "sh", "-c", "cat; exit 7"),
            stdin=sent,
            env=env,
        )
        assert (done.returncode, done.stdout) == (7, sent)
        assert_upgraded(done.stderr.decode(), env, "exec")


def test_helm(anna: Kubectl, tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    for name, text in CHART.items():
        path = chart / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def helm(*args: str | Path) -> str:
        done = subprocess.run(
            [binary("helm"), *args, f"--namespace={NAMESPACE}"],
            env=anna.env({"HOME": str(tmp_path)}),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def releases() -> list[tuple[str, str, str]]:
        listed = json.loads(helm("list", "--output=json"))
        return [(release["name"], release["revision"], release["status"]) for release in listed]

    def price() -> str:
        return anna(
            *("get", "configmap", "corner-prices", f"--namespace={NAMESPACE}"),
            *("-o", "jsonpath={.data.tea}"),
        )

    helm("install", "corner", chart)
    assert (releases(), price()) == ([("corner", "1", "deployed")], "3")
    helm("upgrade", "corner", chart, "--set=tea=4")
    assert (releases(), price()) == ([("corner", "2", "deployed")], "4")
    helm("rollback", "corner", "1")
    assert (releases(), price()) == ([("corner", "3", "deployed")], "3")
    helm("uninstall", "corner")
    assert releases() == []
    gone = anna.run("get", "configmap", "corner-prices", f"--namespace={NAMESPACE}")
    assert "NotFound" in gone.stderr.decode()
