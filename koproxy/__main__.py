"""``python -m koproxy``."""

from koproxy.cli import main

main()
