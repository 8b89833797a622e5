"""HTTPS on a loopback port, strict and recorded: what the issuer and the API server stand on."""
