"""Objects as tables, or as their metadata alone: what an Accept field can ask for. Pure.

https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from koproxy_harness.kube.tables.rendering import Rendering, rendering

__all__ = ["Rendering", "rendering"]
