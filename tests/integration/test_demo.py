"""``koproxy demo``, run as a person runs it."""

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

_TIMEOUT = 60
CHANGED = "import sys, koproxy.cli; sys.modules['koproxy.cli.demo'].{}; koproxy.cli.main()"


def run(*arguments, program="from koproxy.cli import main; main()"):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )


def test_once_shows_the_main_job_and_ends_with_success():
    ended = run("--once")
    assert (ended.returncode, ended.stderr) == (0, "")
    for line in (
        "   200 OK, with the pods: web\n",
        "     Impersonate-User: jane\n     Impersonate-Group: dev\n",
        "   401 Unauthorized: ",
        "   403 Forbidden: Impersonation requests are disabled when using kube-oidc-proxy\n",
        '   403 Forbidden: secrets is forbidden: User "jane" cannot list resource "secrets" ',
        "   ADDED late\n",
        "\nAll went as printed.\n",
    ):
        assert line in ended.stdout
    assert "eyJ" not in ended.stdout


def test_a_call_that_goes_otherwise_is_said_and_ends_with_failure():
    ended = run("--once", program=CHANGED.format("_REFUSED = 'please'"))
    assert ended.returncode == 1
    assert "not as it should be: the message should be 'please', and is 'Imp" in ended.stderr
    assert "All went as printed" not in ended.stdout


def test_a_koproxy_that_does_not_start_is_said_with_its_last_words():
    ended = run("--once", program=CHANGED.format("_flags = lambda *_: ['--oidc-issuer-url=x']"))
    assert ended.returncode == 1
    assert "koproxy did not start; its last words:\nkoproxy: " in ended.stderr


def test_without_the_harness_a_sentence_says_what_to_install():
    program = "import sys; sys.modules['koproxy_harness'] = None\n"
    ended = run(program=program + "from koproxy.cli import main; main()")
    assert ended.returncode == 2
    assert ended.stderr == (
        "koproxy: the demo needs koproxy-harness; install it with: pip install koproxy-harness\n"
    )


@pytest.fixture
def interruptible():
    """A child gets SIGINT, also where the tests run in the background and have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_on_with_a_kubeconfig_and_leaves_nothing_behind(ending):
    command = [sys.executable, "-W", "error", "-m", "koproxy", "demo"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            shown = next(line for line in lines if "--kubeconfig" in line).split()
            assert shown[0] == "kubectl"
            file = Path(shown[2])
            config = yaml.safe_load(file.read_text())
            server = config["clusters"][0]["cluster"]["server"]
            token = config["users"][0]["user"]["token"]
            assert next(lines).split()[3:] == ["get", "pods", "-n", "demo"]
            pods = get(config, f"{server}/api/v1/namespaces/demo/pods", token)
            assert [pod["metadata"]["name"] for pod in pods["items"]] == ["late", "web"]
        finally:
            process.send_signal(ending)
            try:
                rest, errors = process.communicate(timeout=_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    assert (process.returncode, rest.strip(), errors) == (0, "", "")
    assert not file.parent.exists()
    host, _, port = server.removeprefix("https://").partition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


def get(config, url, token):
    import base64

    ca = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"])
    context = ssl.create_default_context(cadata=ca.decode())
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with contextlib.closing(urllib.request.urlopen(request, context=context, timeout=10)) as answer:
        return json.load(answer)
