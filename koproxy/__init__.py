"""koproxy: OIDC log-in for any Kubernetes API server.

A reverse proxy that verifies a bearer token offline and forwards the request with its own
credential and ``Impersonate-*`` headers, so that the cluster's RBAC decides.
"""

__version__ = "0.1.0"
