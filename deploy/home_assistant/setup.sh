#!/bin/sh
# Sets up Home Assistant, for the tests of what a device tells it. Nothing else needs it; it takes 600 MB.
#
#   deploy/home_assistant/setup.sh [FOLDER]
#
# FOLDER is $INKLING_HOME_ASSISTANT or else in the user's cache, where the tests look for it. This is the last
# version for Python 3.13, which Debian 13 has; elsewhere uv or pyenv may have installed one.
set -eu

version=2026.2.3
folder=${1:-${INKLING_HOME_ASSISTANT:-${XDG_CACHE_HOME:-$HOME/.cache}/inkling/home-assistant}}

find_python() {
    for python in "${PYTHON_3_13:-}" python3.13 "$(uv python find 3.13 2>/dev/null)" \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13.*/bin/python; do
        "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && return
    done
    echo "no Python 3.13 with venv: apt-get install python3.13-venv (Debian 13), uv python install 3.13," \
        "or set PYTHON_3_13=/path/to/python3.13" >&2
    exit 1
}

# It asks for Python 3.13.2, and yet runs with 3.13.0.
get() {
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --ignore-requires-python "$@" || {
        echo "Home Assistant is not set up, for the reason above; run this again and it goes on from there" >&2
        exit 1
    }
}

find_python
echo "setting up Home Assistant $version in $folder (a minute or two) ..."
mkdir -p "$folder"
rm -f "$folder/ready"
"$python" -m venv "$folder"
get --no-deps "homeassistant==$version"

# The rest in the versions that it names, but for two: uv, with which it would install more by itself, and
# lru-dict, of which that version has no wheel for Python 3.13 and would need a compiler.
package=$folder/lib/python3.13/site-packages/homeassistant
sed '/^lru-dict/d' "$package/package_constraints.txt" >"$folder/constraints.txt"
sed -i '/^Requires-Dist: uv==/d; s/^Requires-Dist: lru-dict==.*/Requires-Dist: lru-dict/' \
    "$package-$version.dist-info/METADATA"
get --prefer-binary --constraint "$folder/constraints.txt" "homeassistant==$version" "paho-mqtt==2.1.0"
touch "$folder/ready"
