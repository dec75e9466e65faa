# Runs a virtual machine. The builder of ./default.nix.
. "$NIX_ATTRS_SH_FILE"
set -euo pipefail
"$machine/usr/bin/busybox" mkdir tools
"$machine/usr/bin/busybox" --install -s "$PWD/tools"
PATH=$PWD/tools
out=${outputs[out]}

# Runs a program of a tree of Debian packages.
run_in() { # TREE PROGRAM ARGUMENTS…
  local libs
  libs=$(cd "$1" && echo usr/lib/*-linux-gnu*)
  "$1/$libs"/ld-linux*.so.* --argv0 "${2##*/}" --library-path "$1/$libs" "$1/$2" "${@:3}"
}

# What the first program in the machine finds.
mkdir -p initrd/{bin,test}
cp "$machine/usr/bin/busybox" initrd/bin
cp "$init" initrd/init
chmod +x initrd/init
for module in drivers/block/virtio_blk fs/erofs/erofs fs/overlayfs/overlay; do
  xzcat "$machine"/usr/lib/modules/*/kernel/$module.ko.xz >"initrd/${module##*/}.ko"
done
cp "$start" initrd/test/start.sh
echo "$machine" >initrd/test/machine
echo "$nixConf" >initrd/test/nix.conf
echo "$daemonEnv" >initrd/test/daemon-env
echo "$command" >initrd/test/command
# For nix-store --load-db.
run_in "$machine" usr/bin/nix --extra-experimental-features nix-command eval --store dummy:// --impure --raw --expr '
  let
    lines = path: [
      path.path path.narHash (toString path.narSize) "" (toString (builtins.length path.references))
    ] ++ path.references;
    attrs = builtins.fromJSON (builtins.readFile (builtins.getEnv "NIX_ATTRS_JSON_FILE"));
  in
  builtins.concatStringsSep "\n" (builtins.concatMap lines attrs.closure) + "\n"
' >initrd/test/registration
(cd initrd && find . | cpio -o -H newc) >initrd.cpio 2>/dev/null

mkdir -p try/bin
cp "$machine/usr/bin/busybox" try/bin
printf '%s\n' '#!/bin/busybox sh' '/bin/busybox echo it runs' '/bin/busybox reboot -f' >try/init
chmod +x try/init
(cd try && find . | cpio -o -H newc) >try.cpio 2>/dev/null

# The store as a disk that nobody can write to, and an empty one. Here, the store has just what belongs to the inputs.
run_in "$emulator" usr/bin/mkfs.erofs --all-root -T1 -x-1 \
  --exclude-path="${emulator##*/}" --exclude-path="${out##*/}" store.img "${NIX_STORE:-/nix/store}"
truncate -s 40G disk.img
run_in "$emulator" usr/sbin/mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard disk.img
echo "the disks are made after $SECONDS seconds"

# Nix takes a line that ends in a carriage return for an empty one.
lines() { while IFS= read -r line; do echo "${line%$'\r'}"; done; }

# The machine has no network device.
qemu() { # SECONDS INITRD OPTIONS…
  local pid killer status=0
  run_in "$emulator" usr/bin/qemu-system-x86_64 \
    -machine q35 -smp "$cores" -nodefaults -no-user-config -display none -no-reboot -nic none -serial stdio \
    -L "$emulator/usr/share/qemu" -L "$emulator/usr/share/seabios" \
    -kernel "$(echo "$machine"/usr/lib/modules/*/vmlinuz)" -append "console=ttyS0 quiet panic=-1" \
    -initrd "$2" "${@:3}" </dev/null > >(lines) &
  pid=$!
  (sleep "$1" && echo "$1 seconds are over" && kill $pid) &
  killer=$!
  wait $pid || status=$?
  kill $killer 2>/dev/null || true
  return $status
}

# A machine with /dev/kvm may still be unable to run another one: a small machine tells.
accel=(-accel kvm -cpu host)
if [[ ! -w /dev/kvm ]] || ! qemu 20 try.cpio -m 256 "${accel[@]}" &>try.log || ! grep -q '^it runs' try.log; then
  echo "no virtualisation here: the processors are emulated"
  accel=(-accel tcg,thread=multi -cpu max,la57=off)
fi

touch report
qemu "$timeout" initrd.cpio -m "$memory" "${accel[@]}" -serial file:report \
  -drive if=virtio,format=raw,readonly=on,file=store.img \
  -drive if=virtio,format=raw,cache=unsafe,file=disk.img ||
  echo "the machine has ended with status $?" >&2

tr -d '\r' <report >report.text
[[ $(tail -n 1 report.text) == "exit status 0" ]] || {
  echo "the test has failed in the machine, see above" >&2
  exit 1
}
sed '$d' report.text >"$out"
