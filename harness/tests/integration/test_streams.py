"""Streams of pods over the network, as a client that is not kubectl meets them."""

import json
import socket
import ssl
import struct

import pytest
from koproxy_harness import HarnessError, KubeAPI

PODS = """
kind: Pod
metadata: {name: web}
spec: {containers: [{name: main}]}
---
kind: Pod
metadata: {name: two}
spec: {containers: [{name: a}, {name: b}]}
"""
V5 = "v5.channel.k8s.io"
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n"


class Room:
    def __init__(self, api):
        self.api = api
        self.streams = api.pods
        api.apply(PODS)

    def ask(self, path, headers="", method="GET"):
        context = ssl.create_default_context(cadata=self.api.ca_pem)
        plain = socket.create_connection(("127.0.0.1", self.api.port), timeout=10)
        client = context.wrap_socket(plain, server_hostname="127.0.0.1")
        head = f"{method} /api/v1/namespaces/default/pods/{path} HTTP/1.1\r\nHost: api\r\n{headers}"
        head += f"Authorization: Bearer {self.api.admin_token}\r\n"
        client.sendall(f"{head}\r\n".encode())
        return Client(client)

    def status(self, path, headers="", method="GET"):
        with self.ask(path, f"{headers}Connection: close\r\n", method) as client:
            code, fields = client.head()
            return code, json.loads(client.reader.read(int(fields["content-length"])))["message"]

    def log(self, query=""):
        with self.ask(f"web/log{query}", "Connection: close\r\n") as client:
            code, fields = client.head()
            assert (code, fields["content-type"]) == (200, "text/plain")
            return b"".join(client.chunks())


class Client:
    def __init__(self, client):
        self.socket = client
        self.reader = client.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.socket.close()

    def head(self):
        code = int(self.reader.readline().split()[1])
        fields = {}
        while (line := self.reader.readline()) != b"\r\n":
            name, _, value = line.decode().partition(": ")
            fields[name.lower()] = value.strip()
        return code, fields

    def chunks(self):
        while size := int(self.reader.readline(), 16):
            yield self.reader.read(size + 2)[:-2]

    def message(self):
        first, length = self.reader.read(2)
        if length == 126:
            (length,) = struct.unpack(">H", self.reader.read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self.reader.read(8))
        return first & 15, self.reader.read(length)

    def send(self, data):
        head = struct.pack(">BBH", 0x82, 0xFE, len(data)) + bytes(4)
        self.socket.sendall(head + data)


@pytest.fixture
def room():
    with KubeAPI() as api:
        yield Room(api)


@pytest.mark.parametrize(
    ("path", "headers", "answer"),
    [
        ("none/exec", "", (404, 'pods "none" not found')),
        ("web/exec", "", (400, "Upgrade request required")),
        ("web/portforward", "", (400, "Upgrade request required")),
        ("web/exec?container=x", "", (400, "container x is not valid for pod web")),
        (
            "two/log",
            "",
            (400, "a container name must be specified for pod two, choose one of: [a b]"),
        ),
        (
            "web/log?previous=true",
            "",
            (400, 'previous terminated container "main" in pod "web" not found'),
        ),
        (
            "web/log?tailLines=-1",
            "",
            (
                422,
                'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: '
                "must be greater than or equal to 0",
            ),
        ),
    ],
)
def test_what_cannot_be_is_refused_in_the_real_ones_words(room, path, headers, answer):
    assert room.status(path, headers) == answer


def test_a_subprotocol_that_nobody_speaks_is_refused(room):
    room.streams.on_exec(lambda session: "never")
    with room.ask("web/exec", f"{UPGRADE}Sec-WebSocket-Protocol: chat\r\n") as client:
        code, fields = client.head()
        assert code == 403
        assert b"[chat]" in client.reader.read(int(fields["content-length"]))


@pytest.mark.parametrize("protocol", ["v4.channel.k8s.io", V5])
def test_channels_carry_a_session_and_its_exit_code(room, protocol):
    async def greet(session):
        await session.write(await session.stdin.read())
        await session.write_error("oh")
        return 7

    room.streams.on_exec(greet)
    with room.ask("web/exec?stdin=1", f"{UPGRADE}Sec-WebSocket-Protocol: {protocol}\r\n") as client:
        code, fields = client.head()
        assert (code, fields["sec-websocket-protocol"]) == (101, protocol)
        assert client.message() == (2, b"\x01")
        client.send(b"\x00hi")
        assert client.message() == (2, b"\x01hi")
        assert client.message() == (2, b"\x02oh")
        kind, error = client.message()
        assert (kind, error[0]) == (2, 3)
        status = json.loads(error[1:])
        assert status["reason"] == "NonZeroExitCode"
        assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]
        assert client.message() == (8, struct.pack(">H", 1000))


def test_a_handler_ends_when_its_client_goes(room):
    ended = []

    async def wait(session):
        try:
            await session.stdin.read()
        finally:
            ended.append(True)

    room.streams.on_exec(wait)
    with room.ask("web/exec?stdin=1", f"{UPGRADE}Sec-WebSocket-Protocol: {V5}\r\n") as client:
        assert client.head()[0] == 101
        assert client.message() == (2, b"\x01")
    room.api.until(lambda: ended)


def test_a_fast_handler_waits_for_a_slow_client(room):
    """It is bounded by what the network holds, and goes on when the client reads."""
    written = []

    async def flood(session):
        for _ in range(1000):
            written.append(1)
            await session.write(b"x" * 65536)

    room.streams.on_exec(flood)
    with room.ask("web/exec", f"{UPGRADE}Sec-WebSocket-Protocol: {V5}\r\n") as client:
        assert client.head()[0] == 101
        client.message()
        assert len(written) < 1000
        got = 0
        while (message := client.message())[1][:1] == b"\x01":
            got += len(message[1]) - 1
        assert got == 1000 * 65536


def test_logs_are_cut_as_asked(room):
    clock = room.api.clock
    clock.set(1_700_000_000)
    room.streams.set_logs("web", "one\ntwo\n")
    clock.move(100)
    room.streams.append_log("web", ["three"])
    room.streams.set_logs("web", "before", previous=True)
    assert room.log() == b"one\ntwo\nthree\n"
    assert room.log("?tailLines=2") == b"two\nthree\n"
    assert room.log("?tailLines=0") == b""
    assert room.log("?limitBytes=5") == b"one\nt"
    assert room.log("?sinceSeconds=50") == b"three\n"
    assert room.log("?sinceTime=2023-11-14T22:13:50Z") == b"three\n"
    assert room.log("?previous=true") == b"before\n"
    assert room.log("?container=main&tailLines=1&timestamps=true").startswith(b"2023-11-14T22:15:")


def test_a_follower_ends_when_its_client_goes(room):
    with room.ask("web/log?follow=true") as client:
        assert client.head()[0] == 200
        room.api.run(lambda: room.streams.append_log("web", "now"))
        assert next(client.chunks()) == b"now\n"
    room.api.until(lambda: not room.api.connections)
    room.api.run(lambda: room.streams.append_log("web", "nobody"))


def test_what_a_handler_may_not_give_is_told_to_the_test():
    with pytest.raises(HarnessError, match="exit code"), KubeAPI() as api:  # noqa: PT012
        room = Room(api)
        room.streams.on_exec(lambda session: {"no": "sense"})
        with room.ask("web/exec", f"{UPGRADE}Sec-WebSocket-Protocol: {V5}\r\n"):
            room.api.until(lambda: room.api.requests and not room.api.connections)


async def echo(connection):
    async for data in connection:
        connection.write(b"%d: %b" % (connection.port, data))


@pytest.mark.parametrize("offered", ["", "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n"])
def test_a_port_forward_without_spdy_has_two_channels_for_each_port(room, offered):
    room.streams.on_port_forward(echo)
    with room.ask("web/portforward?ports=80&ports=443", UPGRADE + offered) as client:
        code, fields = client.head()
        assert code == 101
        assert fields.get("sec-websocket-protocol", "") == offered[24:].strip()
        ports = [client.message() for _ in range(4)]
        assert ports == [
            (2, bytes([n]) + struct.pack("<H", p)) for n, p in enumerate([80, 80, 443, 443])
        ]
        client.send(b"\x02hello")
        assert client.message() == (2, b"\x02443: hello")
        client.send(b"\x00you")
        assert client.message() == (2, b"\x0080: you")
    room.api.until(lambda: not room.api.connections)


def test_a_port_that_nobody_serves_is_said_in_its_channel(room):
    room.streams.on_port_forward(lambda connection: connection.fail("nobody is here"))
    with room.ask("web/portforward?ports=80", UPGRADE) as client:
        assert client.head()[0] == 101
        assert [client.message()[1][:1] for _ in range(2)] == [b"\x00", b"\x01"]
        assert client.message() == (2, b"\x01nobody is here")
        assert client.message() == (8, struct.pack(">H", 1000))


@pytest.mark.parametrize("query", ["", "?ports=", "?ports=0", "?ports=x", "?ports=80,70000"])
def test_a_port_forward_without_ports_is_refused(room, query):
    code, said = room.status(
        f"web/portforward{query}",
        UPGRADE.replace("Connection: Upgrade\r\n", "Connection: Upgrade, close\r\n"),
    )
    assert code == 400
    assert 'the query parameter "ports" has to name the ports' in said
