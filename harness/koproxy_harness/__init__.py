"""A fake OIDC issuer and a mock Kubernetes API server for tests.

What is imported from here is loaded when it is asked for: pytest imports this package in every
run, because its plugin is in it, and most runs need nothing else of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from koproxy_harness.errors import HarnessError
    from koproxy_harness.issuer.clients import Client
    from koproxy_harness.issuer.issuer import Issuer
    from koproxy_harness.issuer.keys import ALGORITHMS, KeySet, SigningKey
    from koproxy_harness.issuer.users import User
    from koproxy_harness.issuer.wrong import WRONG
    from koproxy_harness.kube.api import KubeAPI
    from koproxy_harness.serving.authority import Certificate
    from koproxy_harness.serving.exchange import Exchange, Request
    from koproxy_harness.serving.server import Refused

__version__ = "0.1.0"

__all__ = [
    "ALGORITHMS",
    "WRONG",
    "Certificate",
    "Client",
    "Exchange",
    "HarnessError",
    "Issuer",
    "KeySet",
    "KubeAPI",
    "Refused",
    "Request",
    "SigningKey",
    "User",
]

if not TYPE_CHECKING:
    _MODULES = {
        "errors": ("HarnessError",),
        "issuer.clients": ("Client",),
        "issuer.issuer": ("Issuer",),
        "issuer.keys": ("ALGORITHMS", "KeySet", "SigningKey"),
        "issuer.users": ("User",),
        "issuer.wrong": ("WRONG",),
        "kube.api": ("KubeAPI",),
        "serving.authority": ("Certificate",),
        "serving.exchange": ("Exchange", "Request"),
        "serving.server": ("Refused",),
    }
    _PLACES = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name):
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
        globals()[name] = value
        return value
