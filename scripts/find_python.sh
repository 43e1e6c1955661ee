#!/bin/sh
# Prints the path of a Python that can make our environment: 3.11 or newer, with venv and ensurepip.
# PYTHON=... is tried first. Prints one clear line on standard error and fails where there is none.
set -u
old= bare=
for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
    path=$(command -v "$name" 2>/dev/null) || continue
    # A version manager's stand-in may be on the path without a Python behind it: only an answer counts.
    found=$("$path" -c 'import sys; print("%d.%d" % sys.version_info[:2], sys.version_info >= (3, 11))' 2>/dev/null) \
        || continue
    case $found in
    *True) ;;
    *) old="${found% *}" && continue ;;
    esac
    if "$path" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$path"
        exit 0
    fi
    bare="$path ${found% *}"
done
if [ -n "$bare" ]; then
    version=${bare##* }
    echo "safer-places: ${bare% *} cannot make environments (no ensurepip)." \
        "On Debian or Ubuntu: apt-get install python$version-venv" >&2
elif [ -n "$old" ]; then
    echo "safer-places: Python 3.11 or newer is needed and only $old was found; name one with PYTHON=/path/to/python" >&2
else
    echo "safer-places: Python 3.11 or newer is needed and none was found; name one with PYTHON=/path/to/python" >&2
fi
exit 1
