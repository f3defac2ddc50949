#!/bin/sh
# Sets up a virtual environment with everything that the project needs, and an MQTT broker.
#
#   deploy/setup.sh VENV
#
# As root it installs what is missing from Debian; as anybody else it says what to ask for.
set -eu

venv=$1
python=${PYTHON:-python3}

install() {
    echo "installing $* ..."
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$venv.log" 2>&1 || {
        apt-get update -qq >"$venv.log" 2>&1 &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$venv.log" 2>&1
    } || {
        cat "$venv.log" >&2
        return 1
    }
    rm -f "$venv.log"
}

as_root() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3 (tried: $python)" >&2
    exit 1
}

# Debian keeps what venv needs in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if as_root; then
        install python3-venv
    else
        echo "Python's venv is missing: sudo apt install python3-venv" >&2
        exit 1
    fi
fi

echo "setting up $venv ..."
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[test]'

if ! PATH=$PATH:/usr/sbin command -v mosquitto >/dev/null; then
    if ! { as_root && install mosquitto; }; then
        echo "Mosquitto is not installed ('sudo apt install mosquitto'): using iotcore in its place"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check 'iotcore>=0.4,<0.5'
    fi
fi
