"""What Kubernetes says of its types, and of those that a CustomResourceDefinition brings."""

from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.schema.schemas import Schemas

__all__ = ["Node", "Schemas"]
