"""The OpenID Connect issuer."""
