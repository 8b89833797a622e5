"""The mock Kubernetes API server."""
