"""`python -m koproxy_harness.command`, where the command's script is not on the PATH."""

import sys

from koproxy_harness.command.main import main

sys.exit(main())
