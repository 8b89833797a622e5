# Every target does its own set-up: Python 3.11 and make are enough (e2e needs Go, bench nginx, wrk and Go).

PYTHON ?= python3
VENV := .venv
ARGS ?=

.PHONY: help setup demo test fuzz compiled e2e soak bench docs constraints clean

help:
	@echo "make setup   .venv with koproxy and the harness in it"
	@echo "make demo    issuer, API server and koproxy between them (ARGS=--once ends after the calls)"
	@echo "make test    lint, types, unit, property and integration tests, a minute of fuzzing"
	@echo "make fuzz    fuzzing alone (ARGS=-max_total_time=3600: for an hour)"
	@echo "make compiled  a wheel with the way of a request compiled to C, tested (needs a C compiler)"
	@echo "make e2e     a real control plane, Dex and kubectl (needs Go)"
	@echo "make soak    minutes between real servers while all changes (needs Go; ARGS=--seconds=60)"
	@echo "make bench   koproxy beside nginx, Go and twisted.web (needs nginx, wrk and Go)"
	@echo "make docs    docs/options.md, from the options' declaration"

setup: $(VENV)/.complete

$(VENV)/.complete: pyproject.toml harness/pyproject.toml requirements/tests.txt requirements/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "koproxy needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -c requirements/constraints.txt \
		-e . -e harness -r requirements/tests.txt tox
	@touch $@

demo: setup
	@$(VENV)/bin/koproxy demo $(ARGS)

test: setup
	$(VENV)/bin/tox run $(ARGS)

fuzz: setup
	$(VENV)/bin/tox run -e fuzz -- $(ARGS)

compiled: setup
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(VENV)/bin/pip wheel --quiet --no-deps --wheel-dir dist .
	$(VENV)/bin/tox run -e compiled -- $(ARGS)
	@ls dist/*.whl

e2e: setup
	kind/build
	$(VENV)/bin/pytest tests/e2e $(ARGS)

soak: setup
	kind/build
	cd tests && PYTHONPATH=.:../kind ../$(VENV)/bin/python -m soak $(ARGS)

bench: setup
	$(VENV)/bin/python -m bench $(ARGS)

docs: setup
	$(VENV)/bin/python docs/options.py

# The exact versions that the tests use, from what the lower bounds give today.
constraints:
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/pip install --quiet -e . -e harness -r requirements/tests.txt tox
	{ echo "# Exact versions that the tests use; the lower bounds are in pyproject.toml."; \
		build/constraints/bin/pip freeze --exclude-editable; } > requirements/constraints.txt

clean:
	rm -rf $(VENV) .tox build dist
