"""Kubernetes' AuthenticationConfiguration: its file read strictly, and held against its rules.

It opens no file and compiles no expression itself; what an entry then decides about a token is
`identity`'s. https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""
