#!/bin/busybox sh
# The first program in the machine: makes its file system of two disks. The first is the store, read-only.
set -e
export PATH=/bin
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /lower /disk /root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /*.ko; do insmod "$module"; done

mount -t erofs -o ro /dev/vda /lower
mount -t ext4 -o noatime /dev/vdb /disk
mkdir -p /disk/root /disk/root.work /disk/store /disk/store.work
machine=$(cat /test/machine)
mount -t overlay -o "lowerdir=/lower/${machine##*/},upperdir=/disk/root,workdir=/disk/root.work" root /root
mkdir -p /root/nix/store /root/proc /root/sys /root/dev /root/test
mount -t overlay -o lowerdir=/lower,upperdir=/disk/store,workdir=/disk/store.work store /root/nix/store
cp /test/* /root/test
for part in proc sys dev; do mount --move /$part /root/$part; done
exec switch_root /root /usr/bin/busybox sh /test/start.sh
