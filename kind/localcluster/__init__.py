"""A Kubernetes cluster and an OIDC issuer for trying koproxy on: real servers, on loopback.

`kind/up` and the end-to-end tests start everything through this package. It knows nothing of
koproxy but the name of its ServiceAccount and of the file with its ClusterRole.
"""
