"""The OAuth 2.0 and OpenID Connect flows of the issuer, a file for each grant and endpoint."""
