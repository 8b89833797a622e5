"""`kubectl attach` and `kubectl debug` through koproxy, over WebSocket and over SPDY."""

import json
import os
import uuid

from e2e.running import running
from e2e.upgrades import BOTH, assert_upgraded
from localcluster.cluster import CAT, NAMESPACE, POD
from localcluster.kubectl import Kubectl

MEGABYTE = 1 << 20


@BOTH
def test_attach_to_what_runs(anna: Kubectl, env: dict[str, str]) -> None:
    with running(
        anna, "attach", "--stdin", "-v=6", f"--namespace={NAMESPACE}", CAT, env=env
    ) as attached:
        for line in ("first", "second"):
            attached.write(f"{line}\n".encode())
            assert attached.line() == line
        log = attached.errors()
    assert_upgraded(log, env, "attach")


@BOTH
def test_attach_passes_the_end_of_input(anna: Kubectl, env: dict[str, str]) -> None:
    sent = os.urandom(3 * MEGABYTE)
    done = anna.run(
        "attach", "--stdin", "-v=6", f"--namespace={NAMESPACE}", CAT, stdin=sent, env=env
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == sent
    assert_upgraded(done.stderr.decode(), env, "attach")


@BOTH
def test_debug_adds_a_container_and_attaches_to_it(anna: Kubectl, env: dict[str, str]) -> None:
    name = f"debugger-{uuid.uuid4().hex[:8]}"
    done = anna.run(
        *("debug", "--stdin", "-v=6", f"--namespace={NAMESPACE}", POD, f"--container={name}"),
        *("--image=busybox:1.37", "--", "cat"),
        stdin=b"what is the matter?\n",
        env=env,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b"what is the matter?\n"
    assert_upgraded(done.stderr.decode(), env, "attach")

    pod = json.loads(anna("get", "pod", POD, f"--namespace={NAMESPACE}", "-o", "json"))
    assert name in [container["name"] for container in pod["spec"]["ephemeralContainers"]]
