# Two commands: `make run` (from a clone to an open map) and `make test` (everything a contributor must pass).
# Both need Python 3.11 or newer and a package registry, nothing else; both are safe to repeat.
SHELL = /bin/sh
PORT ?= 8000

.PHONY: help run test setup setup-dev lock docs screenshots clean

help:
	@echo "make run     fill the sample store and serve it on http://127.0.0.1:$(PORT) (PORT=8001 for another port)"
	@echo "make test    everything a contributor must pass; see scripts/check"
	@echo "make setup   the environment in .venv only"
	@echo "make docs    write the generated pages of docs/ anew: settings, requirements"
	@echo "make lock    write requirements/*.txt anew from pyproject.toml"
	@echo "make clean   remove .venv and the build's files; the data in var/ stays"

run: setup
	@PORT=$(PORT) scripts/run.sh

test: setup-dev
	@scripts/check

setup:
	@scripts/setup.sh

setup-dev:
	@scripts/setup.sh dev

lock: setup-dev
	@scripts/lock

docs: setup-dev
	@.venv/bin/python -m scripts.settings_table
	@.venv/bin/python -m scripts.requirements_report

screenshots: setup-dev
	@.venv/bin/python scripts/screenshots.py

clean:
	rm -rf .venv dist build geo/maps/static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis
