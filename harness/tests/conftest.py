"""What all tests of the harness have in common."""

from hypothesis import HealthCheck, settings

# How long an example takes is the machine's matter, and no test's.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")
