"""What all tests have in common."""

import signal

from hypothesis import HealthCheck, settings

# How long an example takes is the machine's matter, and no test's.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")

# Where tests run in the background of a script, the shell has SIGINT ignored, in all that they
# start too; some of them are about what an interrupted command says.
signal.signal(signal.SIGINT, signal.default_int_handler)
