#!/bin/sh
# Lets this machine run programs for a Pi's processor, through QEMU, until it is switched off. As root, with Debian's
# qemu-user-static, which does it by itself where systemd or binfmt-support runs.
set -eu

registry=/proc/sys/fs/binfmt_misc
[ -e $registry/register ] || mount -t binfmt_misc binfmt_misc $registry
[ -e $registry/qemu-arm ] || cat /usr/lib/binfmt.d/qemu-arm.conf >$registry/register
