#!/usr/bin/env bash
# Tests the bounds of pyproject.toml: bash launch/bounds.sh lowest|newest [pytest options]
# makes a new environment with the lowest versions that pyproject.toml allows, or the newest ones there are, and runs
# the tests but for the slow ones in it. Needs uv (pip install uv).
#   PYTHON  the interpreter or its version (3.11, the oldest)      VENV  where the environment goes (.venv-lowest)
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
    lowest) resolution=lowest-direct ;; # of what we name; what that needs in turn is as new as it allows
    newest) resolution=highest ;;
    *) echo "usage: bash launch/bounds.sh lowest|newest [pytest options]" >&2 && exit 2 ;;
esac
command -v uv >/dev/null || { echo "bounds: uv is missing: pip install uv" >&2 && exit 2; }
venv=${VENV:-.venv-$1}
shift
if [ -e "$venv" ] && [ ! -e "$venv/pyvenv.cfg" ]; then
    echo "bounds: VENV=$venv is no environment, and would be deleted; name a folder that does not exist" >&2
    exit 2
fi
rm -rf "$venv"
uv venv --quiet --python "${PYTHON:-3.11}" "$venv"
uv pip install --quiet --python "$venv/bin/python" --resolution "$resolution" --editable ".[dev]"
uv pip list --quiet --python "$venv/bin/python"
export JAX_PLATFORMS=cpu
"$venv/bin/python" -m jaxsr
exec "$venv/bin/python" -m pytest --numprocesses=auto --maxprocesses=8 "$@"
