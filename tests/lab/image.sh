#!/bin/bash
# image.sh SUITE ARCH FOLDER PUBLIC_KEY: the lab's guest, as FOLDER/image.ext4, FOLDER/kernel and FOLDER/initrd.
#
# Debian (SUITE: trixie or bookworm; ARCH: amd64 or arm64) with systemd and ssh, what facelatch's installer asks apt
# for (the guest has no network), and two kernel modules that Debian does not ship: gpio-sim and v4l2loopback.
# Needs root: mmdebstrap makes device nodes, and the modules are built in a chroot. tests/lab/images.py calls it and
# keeps the result as long as nothing that goes into it has changed.
set -euo pipefail
PATH=/usr/sbin:/usr/bin:/sbin:/bin # mmdebstrap's helpers are the system's Python's
suite=$1 arch=$2 folder=$3 public_key=$4
guest=$(cd "$(dirname "$0")/guest" && pwd)

work=$folder/work
rm -rf "$work" && mkdir -p "$work/kernel"
root=$work/root
say() { echo "[${SECONDS} s] $*"; }
inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }
# A package's files, unpacked and not installed: no initramfs is generated, no dkms builds for the host's kernel.
unpack() { # PACKAGE INTO [tar options]
    inside sh -c "cd /tmp && apt-get -qq -o APT::Sandbox::User=root download '$1'"
    local into=$2
    shift 2
    mkdir -p "$into" && dpkg-deb --fsys-tarfile "$root"/tmp/*.deb | tar -x -C "$into" "$@" && rm "$root"/tmp/*.deb
}

# A machine of another kind: its programs run under qemu-user.
if [[ $arch != "$(dpkg --print-architecture)" ]]; then
    formats=/proc/sys/fs/binfmt_misc
    mountpoint -q "$formats" || mount -t binfmt_misc binfmt_misc "$formats"
    [[ -e $formats/qemu-aarch64 ]] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$formats/register"
fi

# --- Debian itself
packages=(
    systemd-sysv udev dbus kmod iproute2 procps e2fsprogs openssh-server ca-certificates busybox-static sudo
    python3 python3-venv python3-pip                     # what the product runs on
    python3-dev swig                                     # lgpio, which has no wheel for every Python
    ffmpeg v4l-utils gpiod sqlite3                       # the lab's hands and eyes
    gcc make libc6-dev xz-utils                          # the modules
)
[[ $suite != trixie ]] || packages+=(python3-libcamera libcamera-ipa libcap-dev) # picamera2's ground
mmdebstrap --quiet --arch="$arch" --variant=minbase --mode=root --components=main \
    --dpkgopt='path-exclude=/etc/kernel/postinst.d/initramfs-tools' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --include="$(IFS=,; echo "${packages[*]}")" "$suite" "$root"
say "Debian $suite, $(du -sh "$root" | cut -f1)"

# --- kernel and modules
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount --bind /proc "$root/proc"
trap 'umount "$root/proc" 2>/dev/null || true' EXIT
inside apt-get -qq update
kernel_package=$(inside apt-cache depends "linux-image-$arch" | awk '/Depends: linux-image/ { print $2; exit }')
release=${kernel_package#linux-image-}
unpack "$kernel_package" "$root" --keep-directory-symlink
inside apt-get -qq install -y --no-install-recommends "linux-headers-$arch" >/dev/null
case $suite in trixie) source=linux-source-6.12 ;; bookworm) source=linux-source-6.1 ;; esac
unpack "$source" "$work/kernel" "./usr/src/$source.tar.xz"
tar -xJf "$work/kernel/usr/src/$source.tar.xz" -C "$work/kernel" --strip-components=1 --wildcards \
    "$source/drivers/gpio/gpio-sim.c" "$source/drivers/gpio/*.h" "$source/kernel/irq/irq_sim.c" \
    "$source/scripts/extract-vmlinux"
modules=$root/usr/src/lab
mkdir -p "$modules/gpio-sim"
cp "$work"/kernel/drivers/gpio/*.h "$work/kernel/kernel/irq/irq_sim.c" "$modules/gpio-sim/"
cp "$work/kernel/drivers/gpio/gpio-sim.c" "$modules/gpio-sim/gpio-sim-main.c"
# Debian's kernel has no simulated interrupts (CONFIG_IRQ_SIM): they are linked in, without the one call that the
# kernel does not export to modules.
sed -i 's/handle_simple_irq(irq_to_desc(irqnum));/generic_handle_irq(irqnum);/' "$modules/gpio-sim/irq_sim.c"
# Its pull is all that is wired to a line. A process that asks for a pull of its own must not press or release what hangs
# there: a contact to ground is stronger than the pull inside the chip.
sed -i '/^static int gpio_sim_set_config/,/^}/ s/return gpio_sim_apply_pull(chip, offset, [01]);/return 0;/' \
    "$modules/gpio-sim/gpio-sim-main.c"
printf 'obj-m := gpio-sim.o\ngpio-sim-y := gpio-sim-main.o irq_sim.o\n' >"$modules/gpio-sim/Makefile"
unpack v4l2loopback-dkms "$work/v4l2loopback" ./usr/src
cp -r "$work"/v4l2loopback/usr/src/v4l2loopback-* "$modules/v4l2loopback"
for module in gpio-sim v4l2loopback; do
    inside make -s -C "/lib/modules/$release/build" "M=/usr/src/lab/$module" modules >"$folder/$module.log" 2>&1 || {
        echo "The module $module could not be built: $folder/$module.log" >&2
        exit 1
    }
    install -D -m 644 "$modules/$module/$module.ko" "$root/lib/modules/$release/updates/$module.ko"
done
depmod -b "$root" "$release"
say "kernel $release with gpio-sim and v4l2loopback"

# --- lgpio, as Raspberry Pi OS has it in a package and Debian has not: a wheel beside the image
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
inside env PYPI=1 python3 -m pip wheel --quiet --no-deps --wheel-dir /tmp/wheels lgpio==0.2.2.0
rm -rf "$folder/wheels" && mv "$root/tmp/wheels" "$folder/wheels"
say "$(ls "$folder/wheels")"

# --- picamera2, which Raspberry Pi OS has in a package and Debian has not: beside the system, for the scenario that adds it
if [[ $suite = trixie ]]; then
    inside env PYPI=1 python3 -m pip install --quiet --no-cache-dir --root-user-action=ignore --target=/opt/lab-picamera2 \
        picamera2==0.3.38
    say "picamera2 in $(du -sh "$root/opt/lab-picamera2" | cut -f1)"
fi

# --- the machine's own files
install -D -m 600 "$public_key" "$root/root/.ssh/authorized_keys"
echo facelatch-lab >"$root/etc/hostname"
echo '/dev/vda / ext4 rw,relatime 0 1' >"$root/etc/fstab"
install -D -m 644 "$guest/lab.network" "$root/etc/systemd/network/10-lab.network"
install -D -m 644 "$guest/60-lab.rules" "$root/etc/udev/rules.d/60-lab.rules"
install -D -m 644 "$guest/lab-board.service" "$root/etc/systemd/system/lab-board.service"
install -D -m 755 "$guest/lab-board" "$root/usr/local/sbin/lab-board"
inside sh -c 'getent group gpio >/dev/null || groupadd --system gpio' # Raspberry Pi OS has it
mkdir -p "$root/etc/systemd/system/sysinit.target.wants"
ln -sf ../lab-board.service "$root/etc/systemd/system/sysinit.target.wants/lab-board.service"
inside systemctl -q enable systemd-networkd ssh
# Nothing that only takes time in a machine without network or console.
for unit in systemd-timesyncd systemd-networkd-wait-online getty@tty1 systemd-tpm2-setup systemd-tpm2-setup-early \
    e2scrub_reap ldconfig modprobe@drm modprobe@efi_pstore modprobe@fuse systemd-network-generator \
    systemd-udev-load-credentials; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit.service"
done
rm -f "$root"/etc/systemd/system/timers.target.wants/*.timer "$root/etc/resolv.conf"
umount "$root/proc"
trap - EXIT

# --- a small initrd: busybox and what the root disk needs (Debian's own has 35 MB, slow to unpack in emulation)
ram=$work/initrd
mkdir -p "$ram"/{bin,dev,proc,sys,newroot,modules}
cp "$root/usr/bin/busybox" "$ram/bin/busybox"
order=()
for module in virtio_pci virtio_mmio virtio_blk virtio_net virtio_rng ext4; do
    while read -r file; do
        name=$(basename "${file%.xz}")
        [[ ! -e $ram/modules/$name ]] || continue
        case $file in *.xz) xz -dc "$file" >"$ram/modules/$name" ;; *) cp "$file" "$ram/modules/$name" ;; esac
        order+=("$name")
    done < <(modprobe -d "$root" -S "$release" --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" { print $2 }')
done
cat >"$ram/init" <<INIT
#!/bin/busybox sh
b=/bin/busybox
\$b mount -t proc proc /proc; \$b mount -t sysfs sys /sys; \$b mount -t devtmpfs dev /dev
for module in ${order[*]}; do \$b insmod /modules/\$module; done
tries=0; while [ ! -b /dev/vda ] && [ \$tries -lt 400 ]; do \$b usleep 50000; tries=\$((tries + 1)); done
\$b mount -t ext4 -o rw /dev/vda /newroot
\$b umount /proc; \$b umount /sys; \$b mount --move /dev /newroot/dev
exec \$b switch_root /newroot /sbin/init
INIT
chmod +x "$ram/init"
(cd "$ram" && find . | cpio -o -H newc --quiet) >"$folder/initrd"
# Uncompressed, where qemu can start that: decompressing takes seconds in emulation.
if [[ $arch = amd64 ]]; then
    bash "$work/kernel/scripts/extract-vmlinux" "$root/boot/vmlinuz-$release" >"$folder/kernel"
else
    cp "$root/boot/vmlinuz-$release" "$folder/kernel"
fi

# --- the disk
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
rm -f "$folder/image.ext4" && truncate -s 6G "$folder/image.ext4"
mke2fs -q -t ext4 -F -d "$root" "$folder/image.ext4"
rm -rf "$work"
say "image of $(du -h "$folder/image.ext4" | cut -f1)"
