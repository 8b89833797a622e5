"""One name for a request in every log that tells of it: the client's, koproxy's, the API server's.

kube-apiserver takes it from ``Audit-ID`` or makes one, and so does koproxy, which also takes it
from ``X-Request-Id``, and passes it on as ``Audit-ID``. A client may choose it, as at
kube-apiserver: nobody may rely on its being unlike all others.
"""

import re
from uuid import uuid4

from koproxy.proxy.account import Account

LONGEST = 64
"""Characters of a name that are shown, as at kube-apiserver."""

_AUDIT_ID = re.compile(rb"(?:\A|\n)audit-id:[ \t]*([^\r]*?)[ \t]*\r", re.IGNORECASE)
_REQUEST_ID = re.compile(rb"(?:\A|\n)x-request-id:[ \t]*([!-~]{1,64})[ \t]*\r", re.IGNORECASE)


def correlate(account: Account) -> None:
    """Give a request its name, and have the API server get it too."""
    block = b"" if account.request is None else account.request.fields.ending
    given = _AUDIT_ID.search(block)
    if given is not None and given[1]:
        account.id = given[1][:LONGEST].decode("latin-1")
        return
    other = _REQUEST_ID.search(block)
    account.id = str(uuid4()) if other is None else other[1].decode()
    account.noted_upstream = b"Audit-ID: %b\r\n" % account.id.encode()
