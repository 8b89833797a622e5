"""The same token shown to koproxy and to a kube-apiserver that has the same OIDC settings."""
