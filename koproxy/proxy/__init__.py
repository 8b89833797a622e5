"""The way of a request as Twisted protocols, and nothing else. No JWT is known in here."""
