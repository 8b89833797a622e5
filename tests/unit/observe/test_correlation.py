"""A request has one name in koproxy's logs and in the API server's, whatever its client does."""

import re

import pytest
from support.memory import Stack, request

from koproxy.observe.correlation import correlate
from koproxy.proxy.account import Observers


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Audit-ID: one\r\n",
        b"Audit-ID: one\r\nAudit-ID: two\r\n",
        b"Audit-ID:\r\n",
        b"Audit-ID:\r\nAudit-ID: two\r\n",
        b"Audit_ID: one\r\n",
        b"Audit-ID: one\r\nConnection: audit-id\r\n",
        b"X-Request-Id: one\r\nConnection: Audit-ID\r\n",
        b"Audit-ID:\r\nX-Request-Id: one\r\n",
    ],
)
def test_the_first_name_that_the_api_server_gets_is_koproxy_s(lines: bytes) -> None:
    stack = Stack(observers=Observers(decided=(correlate,)))
    stack.client.receive(request(lines))
    # http.Header.Get of Go: the first one, empty or not.
    first = re.findall(rb"\r\naudit-id:[ \t]*([^\r]*)", stack.upstream.sent, re.IGNORECASE)[0]
    assert first.decode() == stack.accounts.all[0].id
