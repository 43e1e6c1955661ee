#!/bin/sh
# Makes or refreshes .venv. With the word "dev": what the tests and checks need too.
# Each step leaves a stamp (what it was made from), written last: a broken step is repeated, a done one is skipped.
set -eu
cd "$(dirname "$0")/.."
stamps=.venv/stamps
py=.venv/bin/python
quiet=-q
[ -t 1 ] && quiet=
# Settings of the user's own pip that would put packages elsewhere, or refuse an environment's.
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PIP_REQUIRE_HASHES PYTHONPATH PYTHONHOME || true
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

fresh() { # fresh NAME TEXT: was step NAME done with exactly this?
    [ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$2" ]
}

install_locked() { # install_locked NAME WORDS
    sum=$(cksum <"requirements/$1.txt")
    fresh "$1" "$sum" && return
    echo "Installing $2 ..."
    $py -m pip install $quiet --require-hashes -r "requirements/$1.txt"
    rm -f "$stamps/project"
    echo "$sum" >"$stamps/$1"
}

# The environment holds absolute paths: a checkout that was moved gets a new one.
if ! fresh place "$PWD" || ! $py -m pip --version >/dev/null 2>&1; then
    python=$(scripts/find_python.sh)
    echo "Making .venv with $("$python" -V 2>&1) ..."
    "$python" -m venv --clear .venv
    mkdir -p $stamps
    echo "$PWD" >$stamps/place
fi

install_locked runtime "the locked packages, about 130 MB (a minute or two, once)"
install_locked build "the build tools"
[ "${1:-}" = dev ] && install_locked dev "the tools of the tests"

# pip refuses hashes for a local folder: its dependencies are in by now, so it comes without.
sum=$(cat pyproject.toml scripts/hatch_build.py frontend/package-lock.json | cksum)
if ! fresh project "$sum" || [ ! -f geo/maps/static/vendor/STAMP ]; then
    echo "Installing safer-places and its front-end parts ..."
    $py -m pip install $quiet --no-deps --no-build-isolation -e .
    echo "$sum" >$stamps/project
fi
