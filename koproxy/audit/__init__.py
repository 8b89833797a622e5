"""Audit: which requests make events, and where the events go."""
