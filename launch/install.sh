# Sourced by the other scripts: makes .venv in the checkout and installs jaxsr with the extras in $1, once.
# PYTHON names the interpreter, python3 by default.

install() {
    local extras=$1 python=${PYTHON:-python3} stamp
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "jaxsr needs Python 3.11 or newer; $python is $("$python" --version 2>&1). Set PYTHON to a newer one." >&2
        exit 2
    }
    stamp=.venv/installed-${extras:-plain}-$(cat pyproject.toml setup.py | cksum | cut -d' ' -f1)
    [ -e "$stamp" ] && return
    # Debian's python3 without python3-venv leaves an environment that has no pip
    .venv/bin/python -m pip --version >/dev/null 2>&1 || "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".${extras:+[$extras]}"
    touch "$stamp"
}
