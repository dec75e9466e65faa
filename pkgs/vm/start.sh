# Starts the machine: Nix's daemon as root, with users for builds, and then the command as a user without rights.
# Whatever happens, the machine is switched off at the end.
finish() {
  [ ! -e "$REPORT" ] || cat "$REPORT" >/dev/ttyS1
  echo "exit status ${status:-1}" >/dev/ttyS1
  sleep 1
  /usr/bin/busybox reboot -f
}
export REPORT=/home/tester/report
trap finish EXIT
set -e
export PATH=/usr/bin:/usr/sbin:/busybox
/usr/bin/busybox mkdir /busybox
/usr/bin/busybox --install -s /busybox
for folder in bin sbin lib lib64; do ln -sfn usr/$folder /$folder; done
mkdir -p /dev/pts /dev/shm /run /tmp /var /root /home/tester /etc/nix /nix/var
chmod 1777 /tmp /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
ln -sfn /proc/self/fd /dev/fd
ip link set lo up

echo 'root:x:0:0::/root:/bin/sh' >/etc/passwd
echo 'tester:x:1000:1000::/home/tester:/usr/bin/bash-static' >>/etc/passwd
echo 'root:x:0:' >/etc/group
echo 'tester:x:1000:' >>/etc/group
members=
for i in 1 2 3 4 5 6 7 8; do
  echo "nixbld$i:x:$((30000 + i)):30000::/var/empty:/bin/false" >>/etc/passwd
  members=$members${members:+,}nixbld$i
done
echo "nixbld:x:30000:$members" >>/etc/group
echo '127.0.0.1 localhost' >/etc/hosts
ln -sfn bash-static /usr/bin/bash
chown 1000:1000 /home/tester
chown 0:30000 /nix/store
chmod 1775 /nix/store

{
  echo 'build-users-group = nixbld'
  echo 'sandbox-paths = /bin/sh=/usr/bin/bash-static'
  # What it has as extra- is added to what is before it.
  cat /test/nix.conf
} >/etc/nix/nix.conf
nix-store --load-db </test/registration
(
  set -a
  . /test/daemon-env
  exec nix-daemon
) &
while [ ! -S /nix/var/nix/daemon-socket/socket ]; do sleep 0.1; done
echo "the machine is up after $(cut -d' ' -f1 /proc/uptime) seconds"

status=0
su tester -c "cd && export NIX_REMOTE=daemon REPORT=$REPORT && $(cat /test/command)" || status=$?
