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

_NAME = re.compile(rb"[!-~]{1,64}")


def correlate(account: Account) -> None:
    """Give a request its name, and have the API server get it too."""
    fields = None if account.request is None else account.request.fields
    given = b"" if fields is None else fields.value(b"audit-id")
    if fields is not None and given:
        account.id = given[:LONGEST].decode("latin-1")
        # A client may say of any field that it is not to be passed on, of this one too.
        if b"\naudit-id:" not in b"\n" + fields.passed_on.lower():
            account.noted_upstream = b"Audit-ID: %b\r\n" % given
        return
    other = b"" if fields is None else fields.value(b"x-request-id")
    account.id = other.decode() if _NAME.fullmatch(other) else str(uuid4())
    account.noted_upstream = b"Audit-ID: %b\r\n" % account.id.encode()
