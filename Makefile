# Everything runs from .venv, which `make` builds from the hashed locks. Needs Python 3.11 to 3.13, nothing else.

# Asked by running them: a version manager's shim may be on the path and still not run.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$name && break; done)

LOCKS := requirements.txt requirements-dev.txt
OSV := https://api.osv.dev
# The first constrains the others; the last takes in the second.
LOCK_ORDER := requirements simulators/requirements requirements-dev
BIN := .venv/bin
# Named by what it was built from: the same files, the same environment, whatever their times say.
READY := .venv/ready-$(shell cat $(LOCKS) pyproject.toml | sha256sum | cut -c1-16)
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help run test check proof bench schema shards lock lock-check audit clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: $(READY)  ## Airflow with sample tenants over the simulators; ONCE=1 runs every tenant once and ends
	$(BIN)/python -m scripts.demo $(if $(ONCE),--once)

# Kept are the folders of what failed alone: they may lie in memory (tests/conftest.py). Many real programs run beside
# one another here, on whatever machine: what fails among them is tried once more by itself, and that decides.
PYTEST := $(BIN)/python -m pytest -o tmp_path_retention_policy=failed
test: $(READY)  ## the tests
	$(PYTEST) --numprocesses logical --dist worksteal $(ARGS) || \
		{ test $$? = 1 && echo 'Once more, by itself, what failed:' && $(PYTEST) --last-failed --maxfail 3; }

proof: $(READY)  ## tries every way to lose data: crashes, faults, guards, bad input, leaks, load (15 minutes)
	$(BIN)/python -m tests.proof $(ARGS)

check: $(READY) lock-check audit  ## style, types, locks, Compose file, known vulnerabilities
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy plugins/renkei
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml
	$(BIN)/check-jsonschema --schemafile include/contracts/mapping.schema.json include/mappings/smarthr_emc/*.yaml

schema: $(READY)  ## the JSON Schema of the YAML sheets, from the tables in the code
	$(BIN)/renkei schema > .venv/mapping.schema.json && mv .venv/mapping.schema.json include/contracts/

bench: $(READY)  ## how fast, how much memory, for how many tenants
	$(BIN)/python -m scripts.bench $(ARGS)

shards: $(READY)  ## the Dag files under dags/, as many as the mappings need
	$(BIN)/python -m renkei.orchestration.shards $(ARGS)

lock: $(READY)  ## the locks anew from their .in files, versions kept; UPGRADE=1 takes the newest
	set -e; for name in $(LOCK_ORDER); do $(COMPILE) $(if $(UPGRADE),--upgrade) $$name.in -o $$name.txt; done

# Locked again with the versions they have, they must come out the same.
lock-check: $(READY)
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && for name in $(LOCK_ORDER); do \
		cp $$name.txt "$$copy/lock.txt" && $(COMPILE) $$name.in -o "$$copy/lock.txt" && \
		diff -u $$name.txt "$$copy/lock.txt" || { echo "$$name.txt is not current: make lock" >&2; exit 1; }; \
	done; echo 'locks are current'

# uv asks OSV about a project or a script, so the locks are read as the dependencies of a script.
audit: $(READY)  ## known vulnerabilities of what is locked, where the service can be reached
	@if ! $(BIN)/python -c 'import requests, sys; requests.head(sys.argv[1], timeout=5)' $(OSV) 2>/dev/null; then \
		echo 'NOT AUDITED: $(OSV) cannot be reached from here'; exit 0; fi; \
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	{ echo '# /// script'; echo '# requires-python = ">=3.11,<3.14"'; echo '# dependencies = ['; \
	sort -u $(LOCKS) | sed -nE 's/^([a-z0-9][^\\]*[^\\ ]) *\\?$$/#   "\1",/p'; echo '# ]'; echo '# ///'; } > $$folder/locked.py && \
	$(BIN)/uv audit --quiet --preview-features audit-command --service-url $(OSV) --script $$folder/locked.py && \
	echo 'no known vulnerability in $(LOCKS)'

clean:  ## removes .venv, caches and the demo's files
	rm -rf .venv .run .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Bytecode is compiled here: under PYTHONDONTWRITEBYTECODE it never would be, and every Airflow command takes twice
# as long without.
$(READY):
	@test -n "$(PYTHON)" || \
		{ echo 'Renkei needs Python 3.11, 3.12 or 3.13 with venv; name one: make PYTHON=path/of/python3' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo 'Renkei needs Python 3.11, 3.12 or 3.13; $(PYTHON) is' "$$($(PYTHON) --version 2>&1)" >&2; exit 1; }
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	sed -n '/^uv==/,/[^\]$$/p' requirements-dev.txt > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r .venv/uv.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes $(LOCKS)
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	rm -f .venv/ready-* && touch $@
