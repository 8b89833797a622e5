"""Writes what Kubernetes says of its built-in types, as facts only, into the package.

Run by hand when the mock API server is to be of another version of Kubernetes (see README.md). It
starts the API server that `kind/build` has built and asks it; the protobuf numbers are Go's.
"""

from __future__ import annotations

import gzip
import json
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "kind"))

from localcluster.apiserver import ApiServer, start_api_server, start_etcd  # noqa: E402
from localcluster.pki import Authority  # noqa: E402
from localcluster.processes import Processes  # noqa: E402

TARGET = HERE.parent / "koproxy_harness" / "kube" / "schema" / "builtin.json.gz"
GROUPS = {
    "": ["v1"],
    "admissionregistration.k8s.io": ["v1"],
    "apiextensions.k8s.io": ["v1"],
    "apps": ["v1"],
    "authentication.k8s.io": ["v1"],
    "authorization.k8s.io": ["v1"],
    "autoscaling": ["v2", "v1"],
    "batch": ["v1"],
    "certificates.k8s.io": ["v1"],
    "coordination.k8s.io": ["v1"],
    "discovery.k8s.io": ["v1"],
    "events.k8s.io": ["v1"],
    "networking.k8s.io": ["v1"],
    "node.k8s.io": ["v1"],
    "policy": ["v1"],
    "rbac.authorization.k8s.io": ["v1"],
    "scheduling.k8s.io": ["v1"],
    "storage.k8s.io": ["v1"],
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
MORE_TYPES = ["DeleteOptions", "Status", "LabelSelector"]  # of meta/v1
KEPT = {
    *("type", "format", "properties", "required", "items", "additionalProperties", "allOf"),
    *("$ref", "default", "oneOf"),
}


def main() -> None:
    """Ask, sort out, write."""
    with tempfile.TemporaryDirectory() as folder:
        processes = Processes(Path(folder))
        try:
            authority = Authority(Path(folder) / "pki")
            server = start_api_server(processes, authority, start_etcd(processes))
            written = facts(server)
        finally:
            processes.stop()
    text = json.dumps(written, separators=(",", ":"), sort_keys=True).encode()
    TARGET.write_bytes(gzip.compress(text, 9, mtime=0))
    size = TARGET.stat().st_size
    sys.stdout.write(f"{TARGET.name}: {len(text)} bytes of JSON, {size} compressed\n")


def facts(server: ApiServer) -> dict[str, Any]:
    """What the package needs to know."""
    groups = [
        *get(server, "/api", AGGREGATED)["items"],
        *get(server, "/apis", AGGREGATED)["items"],
    ]
    found = [chosen(group) for group in groups if group["metadata"].get("name", "") in GROUPS]
    schemas: dict[str, Any] = {}
    for group, versions in GROUPS.items():
        for version in versions:
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            schemas |= get(server, f"/openapi/v3/{path}")["components"]["schemas"]
    of_go = said_by_go()
    for name, schema in schemas.items():
        schemas[name] = without_prose(schema)
        for key, said in of_go.items():
            if name in said:
                schemas[name][key] = said[name]
    return {"version": get(server, "/version"), "groups": found, "schemas": schemas}


def get(server: ApiServer, path: str, accept: str = "application/json") -> Any:
    request = urllib.request.Request(
        server.url + path,
        headers={"Authorization": f"Bearer {server.admin_token}", "Accept": accept},
    )
    trust = ssl.create_default_context(cafile=server.ca)
    with urllib.request.urlopen(request, context=trust) as answer:
        return json.load(answer)


def chosen(group: dict[str, Any]) -> dict[str, Any]:
    """A group of aggregated discovery, with the versions that are wanted."""
    name = group["metadata"].get("name", "")
    versions = {each["version"]: each for each in group["versions"]}
    return {
        "metadata": {"name": name} if name else {},
        "versions": [versions[each] for each in GROUPS[name]],
    }


def without_prose(schema: Any) -> Any:
    """A schema without its descriptions."""
    if isinstance(schema, list):
        return [without_prose(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key == "properties":
            kept[key] = {name: without_prose(each) for name, each in value.items()}
        elif key.startswith("x-kubernetes-") or key == "default":
            kept[key] = value
        elif key in KEPT:
            kept[key] = without_prose(value)
    return kept


def said_by_go() -> dict[str, Any]:
    """What only Go's types say, by the names that OpenAPI has for them."""
    done = subprocess.run(
        ["go", "run", "."], cwd=HERE, check=True, stdout=subprocess.PIPE, text=True
    )
    return {
        f"x-{key}": {
            name.replace("k8s.io/", "io.k8s.", 1).replace("/", "."): of
            for name, of in found.items()
        }
        for key, found in json.loads(done.stdout).items()
    }


if __name__ == "__main__":
    main()
