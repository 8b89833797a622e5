"""The command `koproxy-harness`: the servers for tests in other languages, and for hands."""
