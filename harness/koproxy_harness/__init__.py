"""A fake OIDC issuer and a mock Kubernetes API server for tests."""

__version__ = "0.1.0"
