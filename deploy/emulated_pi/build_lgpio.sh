#!/bin/sh
# Builds lgpio, gpiozero's way to the pins, for an ARM1176 and Debian 12's Python; Debian 12 has none. On Debian 12.
#
#   deploy/emulated_pi/build_lgpio.sh PYTHON INCLUDE FOLDER     INCLUDE has Python's headers; FOLDER gets its two modules
set -eu

here=$(cd "$(dirname "$0")" && pwd)
python=$1 include=$(realpath "$2") folder=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
    --require-hashes --dest "$work" --requirement "$here/lgpio.txt"
tar -C "$work" -xzf "$work"/lgpio-*.tar.gz
cd "$work"/lgpio-*/
swig -python lgpio.i
arm-linux-gnueabi-gcc -O2 -fPIC -shared -pthread -marm -march=armv6 -mfloat-abi=soft -Isrc -I"$include/python3.11" \
    -idirafter "$include" -o "$folder/_lgpio.cpython-311-arm-linux-gnueabi.so" lgpio_wrap.c src/lg*.c src/rgpiod.c -lrt -ldl
cp lgpio.py "$folder"
