"""What an API server fills in where an object of a built-in kind says nothing. Pure.

By types, since one type is part of many kinds. What admission adds is not here.
https://kubernetes.io/docs/reference/kubernetes-api/
"""

from koproxy_harness.kube.defaults.filling import complete

__all__ = ["complete"]
