#!/bin/sh
# Makes an SD card for an emulated Raspberry Pi Zero: Debian 12 for its processor, the Pi's own kernel, and Inkling from
# its package. As root on Debian 12, on a PC.
#
#   deploy/emulated_pi/make_image.sh FOLDER PACKAGE IMAGES CONFIGURATION PYTHON
#
# FOLDER gets card.img, vmlinuz, initrd.gz and zero.dtb; IMAGES is a folder, /srv/images on the card;
# CONFIGURATION is Inkling's, for which the broker is at 10.0.2.2, this machine; PYTHON has a pip.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$(realpath -m "$1") package=$(realpath "$2") images=$(realpath "$3") configuration=$(realpath "$4") python=$5
root=$folder/root
base=$here/../../build/roots/bookworm-armel.tar # as the package's tests use it

for command in arm-linux-gnueabi-gcc cpio depmod fdtput mke2fs mmdebstrap qemu-system-arm swig; do
    command -v $command >/dev/null || missing=1
done
[ -z "${missing:-}" ] || "$here/../install.sh" cpio device-tree-compiler e2fsprogs gcc-arm-linux-gnueabi kmod \
    libc6-dev-armel-cross mmdebstrap qemu-system-arm qemu-user-static swig
"$here/enable.sh"

rm -rf "$folder"
mkdir -p "$root" "$folder/initrd/lib" "$folder/initrd/dev" "$folder/initrd/root"
if [ ! -e "$base" ]; then
    mkdir -p "$(dirname "$base")"
    mmdebstrap --quiet --arch=armel --variant=apt --format=tar \
        --include=systemd,systemd-sysv,python3-numpy,python3-scipy,python3-gpiozero,python3-pil,python3-paho-mqtt,python3-cryptography \
        bookworm "$base"
fi
tar -C "$root" -xpf "$base"
cp /etc/resolv.conf "$root/etc/resolv.conf"
inside() { chroot "$root" /usr/bin/env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

# udev finds the network's driver. The kernel is only unpacked: its scripts would make an initrd of their own.
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends udev kmod iproute2 >/dev/null
kernel=$(inside apt-cache depends linux-image-rpi | sed -n 's/.*Depends: \(linux-image-[^ ]*\).*/\1/p')
(cd "$root/tmp" && inside sh -c "cd /tmp && apt-get download -qq $kernel" && dpkg-deb -x linux-image-*.deb "$folder/kernel" && rm linux-image-*.deb)
version=$(ls "$folder/kernel/lib/modules")
cp -a "$folder/kernel/lib/modules" "$root/usr/lib/"
depmod -b "$root" "$version"
cp "$folder/kernel/boot/vmlinuz-$version" "$folder/vmlinuz"

# What QEMU's Pi Zero lacks or has otherwise: no AXI-ASB, nothing of the VideoCore, USB as a host for the network; and
# gpiozero wants to know which Pi it is.
tree=$folder/zero.dtb
cp "$folder/kernel/usr/lib/linux-image-$version/bcm2835-rpi-zero.dtb" "$tree"
fdtput -t x "$tree" /soc/watchdog@7e100000 reg 7e100000 114
fdtput -t s "$tree" /soc/usb@7e980000 dr_mode host
fdtput -c "$tree" /system
fdtput -t x "$tree" /system linux,revision 900093
for part in vec@7e806000 v3d@7ec00000 hdmi@7e902000 gpu mailbox@7e00b840; do
    fdtput -t s "$tree" "/soc/$part" status disabled
done

# The card's file system is a module, so something has to load it before the root is there.
arm-linux-gnueabi-gcc -Os -static -marm -march=armv6 -mfloat-abi=soft -Wall -o "$folder/initrd/init" "$here/init.c"
for module in crc16 crc32c_generic mbcache jbd2 ext4; do
    cp "$(find "$folder/kernel/lib/modules" -name "$module.ko")" "$folder/initrd/lib/"
done
arm-linux-gnueabi-strip -g "$folder"/initrd/lib/*.ko
(cd "$folder/initrd" && find . | cpio -o -H newc --quiet | gzip -9) >"$folder/initrd.gz"

# In place of the packages that only Raspberry Pi OS has, or has newer: nothing for picamera2, as there is no camera,
# and lgpio and gpiozero of the same versions.
for name in python3-picamera2 python3-lgpio; do
    mkdir -p "$folder/$name/DEBIAN"
    printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: stands in\n' \
        $name >"$folder/$name/DEBIAN/control"
done
(cd "$root/tmp" && inside sh -c "cd /tmp && apt-get download -qq libpython3.11-dev" &&
    dpkg-deb -x libpython3.11-dev*.deb "$folder/headers" && rm libpython3.11-dev*.deb)
mkdir -p "$folder/python3-lgpio/usr/lib/python3/dist-packages"
"$here/build_lgpio.sh" "$python" "$folder/headers/usr/include" "$folder/python3-lgpio/usr/lib/python3/dist-packages"
for name in python3-picamera2 python3-lgpio; do
    dpkg-deb --build --root-owner-group "$folder/$name" "$root/tmp/$name.deb" >/dev/null
done
"$here/pack_gpiozero.sh" "$python" "$root/tmp"
inside dpkg -i /tmp/python3-picamera2.deb /tmp/python3-lgpio.deb /tmp/python3-gpiozero.deb >/dev/null
# As true packages do when they are installed.
for name in python3-lgpio python3-gpiozero; do
    inside py3compile -p $name
done
cp "$package" "$root/tmp/inkling-edge.deb"
inside apt-get install -y -qq --no-install-recommends /tmp/inkling-edge.deb >/dev/null
rm "$root"/tmp/*.deb

mkdir -p "$root/srv/images"
cp "$images"/* "$root/srv/images/"
cp "$configuration" "$root/etc/inkling/edge.toml"
# As Raspberry Pi OS has it: the group gpio may use the pins.
mkdir -p "$root/etc/udev/rules.d"
echo 'SUBSYSTEM=="gpio", GROUP="gpio", MODE="0660"' >"$root/etc/udev/rules.d/99-com.rules"
echo pizero >"$root/etc/hostname"
printf '127.0.0.1 localhost pizero\n' >"$root/etc/hosts"
printf '/dev/mmcblk0 / ext4 noatime 0 1\n' >"$root/etc/fstab"
mkdir -p "$root/etc/systemd/network" "$root/etc/systemd/system/serial-getty@ttyAMA0.service.d"
printf '[Match]\nName=e* u*\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' \
    >"$root/etc/systemd/network/10-usb.network"
printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --noclear 115200 %%I linux\n' \
    >"$root/etc/systemd/system/serial-getty@ttyAMA0.service.d/login.conf"
sed -i 's#^root:[^:]*:#root::#' "$root/etc/shadow"
inside systemctl -q enable systemd-networkd
# What there is no use or no hardware for.
inside systemctl -q mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer \
    e2scrub_reap.service getty@tty1.service systemd-networkd-wait-online.service sys-kernel-debug.mount \
    sys-kernel-tracing.mount dev-mqueue.mount dev-hugepages.mount systemd-timesyncd.service
printf 'blacklist %s\n' vc4 bcm2835_v4l2 vchiq cfg80211 raspberrypi_cpufreq snd_bcm2835 cdc_subset bcm2835_thermal \
    >"$root/etc/modprobe.d/emulated.conf"
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"

truncate -s 2G "$folder/card.img" # QEMU wants a power of two
mke2fs -q -t ext4 -O ^metadata_csum,^64bit -L root -d "$root" "$folder/card.img"
rm -rf "$root" "$folder/kernel" "$folder/initrd" "$folder/headers" "$folder"/python3-*
