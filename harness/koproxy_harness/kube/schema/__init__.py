"""What Kubernetes says of its types, and of those that a CustomResourceDefinition brings."""
