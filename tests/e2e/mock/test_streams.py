"""The real kubectl against the mock API server's streams: logs, exec, attach, port-forward."""

import contextlib
import io
import os
import re
import socket
import subprocess
import tarfile

import pytest
from koproxy_harness import KubeAPI
from localcluster.binaries import binary

pytestmark = pytest.mark.parametrize("websockets", ["true", "false"], ids=["websocket", "spdy"])

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"containers": [{"name": "main", "image": "none"}]},
    "status": {"phase": "Running"},
}


@pytest.fixture
def api():
    with KubeAPI() as api:
        api.apply(POD)
        yield api


@pytest.fixture
def streams(api, websockets):
    yield api.pods
    upgrades = {each.header("upgrade") for each in api.requests} - {None}
    # kubectl asks a second time, by SPDY, where its WebSocket was refused.
    assert not upgrades or ("websocket" if websockets == "true" else "SPDY/3.1") in upgrades


@pytest.fixture
def kubectl(api, tmp_path, websockets):
    config = tmp_path / "config"
    config.write_text(api.kubeconfig())
    environment = {
        **os.environ,
        "KUBECONFIG": str(config),
        "HOME": str(tmp_path),
        "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": websockets,
        "KUBECTL_PORT_FORWARD_WEBSOCKETS": websockets,
    }
    return lambda *arguments: ([str(binary("kubectl")), *arguments], environment)


def ran(command, stdin=b""):
    arguments, environment = command
    return subprocess.run(
        arguments, env=environment, input=stdin, capture_output=True, timeout=30, check=False
    )


def test_exec_prints_and_exits_as_the_handler_says(streams, kubectl):
    streams.on_exec(lambda session: (" ".join(session.command), 3))
    done = ran(kubectl("exec", "web", "--", "say", "it"))
    assert (done.returncode, done.stdout) == (3, b"say it"), done.stderr
    assert b"command terminated with exit code 3" in done.stderr


def test_exec_reads_all_of_a_big_stdin_to_its_end(streams, kubectl):
    async def cat(session):
        async for chunk in session.stdin:
            await session.write(chunk)
        await session.write_error("done")

    streams.on_exec(cat)
    sent = os.urandom(3_000_000)
    done = ran(kubectl("exec", "-i", "web", "--", "cat"), sent)
    assert (done.returncode, done.stderr) == (0, b"done")
    assert done.stdout == sent


def test_exec_fails_with_the_handlers_words(streams, kubectl):
    streams.on_exec(lambda session: session.fail("the node is on fire"))
    done = ran(kubectl("exec", "web", "--", "true"))
    assert done.returncode == 1
    assert b"the node is on fire" in done.stderr


def test_exec_without_a_handler_says_which_call_is_missing(streams, kubectl):
    done = ran(kubectl("exec", "web", "--", "true"))
    assert done.returncode == 1
    assert b"on_exec" in done.stderr


def test_exec_with_a_terminal_tells_its_size(streams, kubectl):
    async def sized(session):
        columns, rows = await session.sizes.get()
        await session.write(f"tty {session.tty} {columns}x{rows}")

    streams.on_exec(sized)
    arguments, environment = kubectl("exec", "-it", "web", "--", "sh")
    line = f"stty cols 91 rows 17; {' '.join(arguments)}"
    done = ran((["script", "-qec", line, "/dev/null"], environment))
    assert b"tty True 91x17" in done.stdout, done.stdout


def test_a_file_is_copied_out_of_a_pod(streams, kubectl, tmp_path):
    """kubectl cp is an exec of tar."""

    def tar(session):
        assert session.command[:2] == ("tar", "cf")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            member = tarfile.TarInfo("tmp/a.txt")
            member.size = 5
            archive.addfile(member, io.BytesIO(b"hello"))
        return packed.getvalue(), 0

    streams.on_exec(tar)
    done = ran(kubectl("cp", "web:/tmp/a.txt", str(tmp_path / "a.txt")))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.txt").read_bytes() == b"hello"


def test_attach_is_answered_too(streams, kubectl):
    async def shout(session):
        await session.write((await session.stdin.read_all()).upper())

    streams.on_attach(shout)
    done = ran(kubectl("attach", "-i", "web"), b"hello")
    assert b"HELLO" in done.stdout, done.stderr


@contextlib.contextmanager
def running(command):
    arguments, environment = command
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_port_forward_carries_bytes_both_ways(streams, kubectl):
    async def upper(connection):
        async for data in connection:
            await connection.write(data.upper())

    streams.on_port_forward(upper, "web", 80)
    with running(kubectl("port-forward", "pod/web", ":80")) as process:
        port = int(re.search(rb":(\d+) ->", process.stdout.readline())[1])
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", port), 10) as client:
                client.sendall(b"x" * 200_000)
                client.shutdown(socket.SHUT_WR)
                with client.makefile("rb") as reader:
                    assert reader.read() == b"X" * 200_000


def test_a_port_is_joined_to_a_real_one(streams, kubectl):
    with socket.create_server(("127.0.0.1", 0)) as real:
        streams.on_port_forward(port=80, target=real.getsockname())
        with running(kubectl("port-forward", "pod/web", ":80")) as process:
            port = int(re.search(rb":(\d+) ->", process.stdout.readline())[1])
            with socket.create_connection(("127.0.0.1", port), 10) as client:
                client.sendall(b"ask")
                server, _ = real.accept()
                with server:
                    assert server.recv(3) == b"ask"
                    server.sendall(b"answer")
                with client.makefile("rb") as reader:
                    assert reader.read() == b"answer"


def test_a_port_that_nobody_answers_is_said_to_be_so(streams, kubectl):
    with running(kubectl("port-forward", "pod/web", ":81")) as process:
        port = int(re.search(rb":(\d+) ->", process.stdout.readline())[1])
        with socket.create_connection(("127.0.0.1", port), 10):
            assert b"on_port_forward" in process.stderr.readline()


def test_logs_are_followed_to_their_end(api, streams, kubectl):
    streams.set_logs("web", "one\ntwo\n")
    assert ran(kubectl("logs", "web", "--tail=1")).stdout == b"two\n"
    with running(kubectl("logs", "-f", "web")) as process:
        assert process.stdout.readline() == b"one\n"
        assert process.stdout.readline() == b"two\n"
        streams.append_log("web", "three")
        assert process.stdout.readline() == b"three\n"
        streams.end_log("web")
        assert process.wait(30) == 0
