#!/usr/bin/env bash
# Installs jaxsr with its development tools into .venv and runs the tests: bash launch/test.sh [pytest options]
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/install.sh
install dev
JAX_PLATFORMS=cpu exec .venv/bin/python -m pytest --numprocesses=auto --maxprocesses=8 "$@"
