"""A fake OIDC issuer and a mock Kubernetes API server for tests."""

from .authority import Certificate
from .errors import HarnessError
from .exchange import Exchange, Request
from .issuer import WRONG, Issuer
from .keys import ALGORITHMS, SigningKey
from .kubeapi import KubeAPI
from .server import Refused

__version__ = "0.1.0"

__all__ = [
    "ALGORITHMS",
    "WRONG",
    "Certificate",
    "Exchange",
    "HarnessError",
    "Issuer",
    "KubeAPI",
    "Refused",
    "Request",
    "SigningKey",
]
