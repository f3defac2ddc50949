#!/bin/sh
# Makes a root in which the real picamera2 runs over libcamera's virtual camera: Debian 13's Python, numpy, scipy and
# paho-mqtt, as a Pi has them, and picamera2 from PyPI, which Debian lacks. Nothing of it is installed on this
# machine, which is a PC with Debian or one of its like. 450 MB, in a minute or so.
#
#   deploy/virtual_camera/setup.sh [ROOT]        by default where the tests look for it, in the user's cache
set -eu

root=$(realpath -m "${1:-${XDG_CACHE_HOME:-$HOME/.cache}/inkling/virtual_camera}")
python=${PYTHON:-python3}
here=$(dirname "$0")

[ "$(dpkg --print-architecture)" = amd64 ] || { echo "only for a PC: here it is $(uname -m)" >&2 && exit 1; }
command -v mmdebstrap >/dev/null || "$here/../install.sh" mmdebstrap
# From wherever this machine has its packages, be that written the old way or the new.
mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb  *\(\[[^]]*\] *\)*\([^ ]*\).*/\2/p' \
    /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | grep -m1 '/debian/*$') ||
    { echo "no Debian mirror in /etc/apt" >&2 && exit 1; }

mkdir -p "$(dirname "$root")"
work=$(mktemp -d -p "$(dirname "$root")")
trap 'rm -rf "$work"' EXIT
echo "making $root ..."
# Not Debian 13's own libcamera, 0.4, whose virtual camera hangs, but the newer one of its backports.
mmdebstrap --quiet --variant=extract \
    --include=base-files,python3-minimal,python3-gpiozero,python3-libcamera,python3-numpy,python3-paho-mqtt,python3-pil,python3-scipy \
    --setup-hook='mkdir -p "$1/etc/apt/preferences.d"' --setup-hook='printf "Package: *libcamera*\nPin: release n=trixie-backports\nPin-Priority: 990\n" >"$1/etc/apt/preferences.d/libcamera"' \
    trixie "$work" "deb $mirror trixie main" "deb $mirror trixie-backports main"
# These were tried together.
"$python" -m pip install --quiet --disable-pip-version-check --target "$work/opt/site" --no-deps --only-binary=:all: \
    --implementation cp --python-version 3.13 --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
    picamera2==0.3.38 piexif==1.1.3 simplejpeg==1.9.0 videodev2==0.0.4
mkdir -p "$work/mnt" "$work/opt/inkling" "$work/usr/share/libcamera/pipeline/virtual"
chmod 755 "$work"
rm -rf "$root"
mv "$work" "$root"
echo "ready: $root"
