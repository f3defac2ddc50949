#!/bin/sh
# Counts the instructions of a Pi Zero's processor, an ARM1176, that a Python script executes: the same number on
# every machine, however busy. As root on Debian 12, on a PC.
#
#   deploy/emulated_pi/count.sh setup ROOT [TARBALL...]         makes ROOT, Debian for that processor, in half a minute
#   deploy/emulated_pi/count.sh run ROOT SCRIPT [ARGUMENT...]   SCRIPT is a path inside ROOT
#
# The script sets marks, and hears how many instructions lie between them: see instruction_counter.c.
#
# Debian builds for processors without a floating-point unit; Raspberry Pi OS uses the one that is there. So Debian's
# numpy and scipy need about ten times the instructions for floating-point work. Each TARBALL holds something better:
# its folders go before Debian's, to find Python packages and libraries (a BLAS) in. This makes what fits together:
#   arm-linux-gnueabi-gcc -marm -march=armv6 -mfpu=vfp -mfloat-abi=softfp
set -eu

here=$(dirname "$0")
action=$1
root=$(realpath -m "$2")
shift 2

set_up() {
    if [ -e "$root" ]; then
        echo "$root is there already, and not whole: delete it, or name another"
        exit 1
    fi
    for command in gcc mmdebstrap qemu-arm zstd; do
        command -v $command >/dev/null || missing=1
    done
    [ -z "${missing:-}" ] || "$here/../install.sh" gcc libc6-dev mmdebstrap qemu-user zstd
    trap 'rm -rf "$root"' EXIT # what is not whole
    mkdir -p "$root"
    mmdebstrap --quiet --arch=armel --variant=extract --include=python3-numpy,python3-scipy bookworm "$root"
    # QEMU starts inside ROOT, so it brings along the libraries that it was linked with.
    qemu=$(command -v qemu-arm)
    install -D "$qemu" "$root/opt/qemu/qemu-arm"
    ldd "$qemu" | grep -o '/[^ ]*' | while read -r library; do
        install -D "$library" "$root$library"
    done
    mkdir "$root/opt/better"
    for tarball; do
        tar -C "$root/opt/better" -xf "$tarball"
    done
    gcc -O2 -fPIC -shared -Wall -Wextra -o "$root/opt/qemu/instruction_counter.so" "$here/instruction_counter.c"
    trap - EXIT
} >&2

run() {
    better=$(cd "$root" && find opt/better -mindepth 1 -maxdepth 1 -type d -printf '/%p:')
    libraries=/usr/lib/arm-linux-gnueabi
    # A fixed seed for hashes: the same script executes the same instructions.
    exec env -i PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 PYTHONHASHSEED=0 PYTHONPATH="$better" \
        LD_LIBRARY_PATH="$better$libraries/blas:$libraries/lapack" QEMU_CPU=arm1176 \
        chroot "$root" /opt/qemu/qemu-arm -plugin /opt/qemu/instruction_counter.so /usr/bin/python3 "$@"
}

case $action in
setup) set_up "$@" ;;
run) run "$@" ;;
*) echo "not $action but setup or run: see the comment at the top of $0" >&2 && exit 2 ;;
esac
