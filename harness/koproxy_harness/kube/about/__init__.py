"""How the mock API server describes itself."""
