#!/bin/sh
# What `make run` does once .venv is there: fill the sample store (once), then serve it.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/safer-places demo
exec .venv/bin/safer-places serve --port "${PORT:-8000}"
