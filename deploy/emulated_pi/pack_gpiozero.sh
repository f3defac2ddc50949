#!/bin/sh
# Packs gpiozero 2, which Raspberry Pi OS has, for a Debian, which has 1.6: python3-gpiozero.deb.
#
#   deploy/emulated_pi/pack_gpiozero.sh PYTHON FOLDER     PYTHON has a pip; FOLDER gets it
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
"$1" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes \
    --target "$work/usr/lib/python3/dist-packages" --requirement "$here/gpiozero.txt"
version=$(sed -n 's/^gpiozero==\([^ ]*\).*/\1/p' "$here/gpiozero.txt")
mkdir "$work/DEBIAN"
printf 'Package: %s\nVersion: %s-1\nArchitecture: all\nMaintainer: %s\nDepends: %s\nDescription: %s\n' python3-gpiozero \
    "$version" 'nobody <nobody@example.org>' python3-colorzero 'gpiozero as Raspberry Pi OS has it' >"$work/DEBIAN/control"
dpkg-deb --root-owner-group --build "$work" "$2/python3-gpiozero.deb" >/dev/null
