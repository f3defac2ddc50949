#!/bin/sh
# Sets up a virtual environment with everything that the project needs, and an MQTT broker.
#
#   deploy/setup.sh VENV
#
# As root it installs what Debian lacks; as anybody else it says what to ask for.
set -eu

venv=$1
python=${PYTHON:-python3}
here=$(dirname "$0")

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3 (tried: $python)" >&2
    exit 1
}

# Debian keeps what venv needs in a package of its own.
"$python" -c 'import ensurepip, venv' 2>/dev/null || "$here/install.sh" python3-venv

echo "setting up $venv (half a minute or so) ..."
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[test]'

PATH=$PATH:/usr/sbin command -v mosquitto >/dev/null || "$here/install.sh" mosquitto || {
    echo "using iotcore as the broker, in place of Mosquitto"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check 'iotcore>=0.4,<0.5'
}
