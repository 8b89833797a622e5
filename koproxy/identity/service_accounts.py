"""The user names that Kubernetes gives to service accounts.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
"""

import re

_PREFIX = "system:serviceaccount:"
_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAMESPACE = re.compile(_LABEL)
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def service_account(username: str) -> tuple[str, str] | None:
    """Give the namespace and the name in a service account's user name; None for any other."""
    if not username.startswith(_PREFIX):
        return None
    namespace, _, name = username.removeprefix(_PREFIX).partition(":")
    if len(namespace) > 63 or len(name) > 253:
        return None
    if _NAMESPACE.fullmatch(namespace) is None or _NAME.fullmatch(name) is None:
        return None
    return namespace, name
