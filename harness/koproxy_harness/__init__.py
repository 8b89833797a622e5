"""A fake OIDC issuer and a mock Kubernetes API server for tests."""

from .errors import HarnessError
from .exchange import Exchange, Request
from .issuer import WRONG, Issuer
from .keys import ALGORITHMS, SigningKey
from .server import ClientCertificate, Refused

__version__ = "0.1.0"

__all__ = [
    "ALGORITHMS",
    "WRONG",
    "ClientCertificate",
    "Exchange",
    "HarnessError",
    "Issuer",
    "Refused",
    "Request",
    "SigningKey",
]
