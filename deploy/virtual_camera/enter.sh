#!/bin/sh
# Runs Python in the root that setup.sh has made, where this project can be imported, CAMERAS is the folder in which
# libcamera looks for virtual cameras, and SHARED is /mnt. As root, or as anybody where the machine allows user
# namespaces; what is mounted is only seen inside.
#
#   deploy/virtual_camera/enter.sh ROOT CAMERAS SHARED ARGUMENT...
set -eu

root=$1 cameras=$2 shared=$3
shift 3
project=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(id -u)" = 0 ] && as= || as=--map-root-user
export root cameras shared project
# shellcheck disable=SC2016
exec unshare $as --mount sh -eu -c '
    mount --bind "$project" "$root/opt/inkling"
    mount --bind "$cameras" "$root/usr/share/libcamera/pipeline/virtual"
    mount --bind "$shared" "$root/mnt"
    libraries=/usr/lib/x86_64-linux-gnu
    exec env PYTHONPATH=/opt/inkling:/opt/site LD_LIBRARY_PATH=$libraries/blas:$libraries/lapack \
        chroot "$root" /usr/bin/python3.13 -B "$@"
' sh "$@"
