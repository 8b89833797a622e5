"""Big answers and big uploads: through koproxy they are what they are at the API server."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from e2e.longrunning import executing
from e2e.running import Side, connected
from localcluster.cluster import Cluster
from localcluster.dex import ANNA
from localcluster.processes import wait_until
from support.running import request

WAREHOUSE = "warehouse"
CONFIGMAPS = f"/api/v1/namespaces/{WAREHOUSE}/configmaps"
GOODS = 112
SIZE = 950_000
MEGABYTE = 1 << 20
LIMIT = 3 * MEGABYTE  # of a body that a kube-apiserver takes
JSON = {"Content-Type": "application/json"}


def configmap(name: str, text: str) -> bytes:
    return json.dumps({"metadata": {"name": name}, "data": {"text": text}}).encode()


def create(side: Side, body: bytes, query: str = "") -> tuple[int, dict[str, object]]:
    with side.ask(f"{CONFIGMAPS}{query}", method="POST", body=body, fields=JSON) as answer:
        return answer.status, json.loads(answer.read())


@pytest.fixture(scope="module")
def warehouse(cluster: Cluster, direct: Side) -> str:
    """A namespace with 100 MB in it, in which Anna may do everything; gives its version.

    It stays until the cluster ends: to delete it object by object takes as long as all tests here.
    """
    admin = cluster.admin
    admin("create", "namespace", WAREHOUSE)
    admin(
        *("create", "rolebinding", "anna", f"--namespace={WAREHOUSE}", f"--user={ANNA}"),
        "--clusterrole=cluster-admin",
    )

    def store(number: int) -> int:
        return create(direct, configmap(f"goods-{number}", os.urandom(SIZE // 2).hex()))[0]

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(store, range(GOODS))) == {201}
    with direct.ask(f"{CONFIGMAPS}?limit=1") as answer:
        return str(json.loads(answer.read())["metadata"]["resourceVersion"])


def read_list(side: Side, version: str) -> tuple[int, str]:
    """Length and checksum of the whole list as it was at one moment."""
    query = f"resourceVersion={version}&resourceVersionMatch=Exact"
    length, checksum = 0, hashlib.sha256()
    with side.ask(f"{CONFIGMAPS}?{query}") as answer:
        assert answer.status == 200
        while piece := answer.read(MEGABYTE):
            length += len(piece)
            checksum.update(piece)
    return length, checksum.hexdigest()


def test_a_list_of_100_megabytes(warehouse: str, direct: Side, through: Side) -> None:
    length, checksum = read_list(through, warehouse)
    assert length > 100 * MEGABYTE
    assert (length, checksum) == read_list(direct, warehouse)


@pytest.mark.usefixtures("warehouse")
def test_gzip_passes_as_it_came(direct: Side, through: Side) -> None:
    text = "tea and milk and " * (SIZE // 17)
    status, _ = create(direct, configmap("repeats-itself", text))
    assert status == 201
    answers = []
    for side in (direct, through):
        with side.ask(f"{CONFIGMAPS}/repeats-itself", fields={"Accept-Encoding": "gzip"}) as answer:
            fields = {
                name: answer.getheader(name)
                for name in ("Content-Encoding", "Vary", "Content-Type")
            }
            answers.append((answer.status, fields, answer.read()))
    assert answers[0] == answers[1]
    _, fields, body = answers[0]
    assert fields["Content-Encoding"] == "gzip"
    assert body.startswith(b"\x1f\x8b")
    assert len(body) < SIZE // 10


@pytest.mark.usefixtures("warehouse")
def test_an_upload_up_to_the_limit_of_the_api_server(direct: Side, through: Side) -> None:
    text = os.urandom(MEGABYTE // 2 - 1024).hex()
    upload = configmap("upload", text).ljust(LIMIT)
    status, created = create(through, upload)
    assert (status, created["data"]) == (201, {"text": text})

    refused = create(through, upload + b" ", "?dryRun=All")
    assert refused == create(direct, upload + b" ", "?dryRun=All")
    assert refused[0] == 413


def wait_until_executing(cluster: Cluster, number: int) -> None:
    wait_until(
        lambda: executing(cluster) == number,
        f"the API server has {number} requests of people in hand",
        seconds=10,
    )


@pytest.mark.usefixtures("warehouse")
def test_a_list_ends_with_its_reader(cluster: Cluster, through: Side) -> None:
    """Nobody reads on, so the API server waits with the rest; until nobody is there to read."""
    wait_until_executing(cluster, 0)
    with through.ask(CONFIGMAPS) as answer:
        assert len(answer.read(MEGABYTE)) == MEGABYTE
        wait_until_executing(cluster, 1)
        answer.close()
    wait_until_executing(cluster, 0)


@pytest.mark.usefixtures("warehouse")
def test_an_upload_ends_with_its_sender(cluster: Cluster, through: Side) -> None:
    wait_until_executing(cluster, 0)
    body = configmap("never-whole", "x" * (MEGABYTE // 2))
    fields = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    with connected(through) as client:
        client.send(request("POST", CONFIGMAPS, through.token, *fields) + body[:-1])
        wait_until_executing(cluster, 1)
    wait_until_executing(cluster, 0)
    with through.ask(f"{CONFIGMAPS}/never-whole") as answer:
        assert answer.status == 404
