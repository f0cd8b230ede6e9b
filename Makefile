PYTHON ?= python3

.PHONY: help run test chaos bench lint format screenshots lock audit

help: ## Say what each command does
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s%s\n", $$1, $$2 }' Makefile

run: .venv/installed ## Start the shop, its reconciler and (without keys) the sandbox
	@.venv/bin/python tools/run.py

test: .venv/installed ## Run every test on PostgreSQL, the database's on SQLite too
	@.venv/bin/python tools/test.py $(ARGS)

screenshots: .venv/installed ## Photograph every page and state into build/screenshots
	@.venv/bin/python -m pytest -q tests/screenshots.py

chaos: .venv/installed ## Try in full what must never happen, for MINUTES=60
	@.venv/bin/python tools/chaos.py

bench: .venv/installed ## Measure: ROUNDS=5, EACH=2 seconds, MILLION=0 for less
	@.venv/bin/python tools/bench.py

lint: .venv/installed ## Check Python, migrations, settings, assets and JavaScript
	@.venv/bin/python tools/lint.py

format: .venv/installed ## Format the Python code and fix what ruff can fix
	@.venv/bin/ruff check --quiet --fix .; .venv/bin/ruff format --quiet .

lock: .venv/installed ## Look for newer packages that fit, and lock them by their hashes
	@.venv/bin/python tools/packages.py lock

audit: .venv/installed ## Ask whether a weakness of the locked packages is known
	@.venv/bin/python tools/packages.py audit

.venv/installed: requirements-dev.lock
	@$(PYTHON) tools/install.py && touch $@
