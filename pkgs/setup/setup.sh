#!/usr/bin/env bash
# Sets up below $DGD_NIX_PREFIX what with-nix needs, and says in the file STAMP what it is (see env.sh).
# Every step is made beside its place and renamed when it is whole, so a call that was cut short is finished
# by the next one. Called by with-nix as: setup.sh STAMP
#
# Tests of remote builders call it as: setup.sh --sshd  It prints a folder with SSH.
# Tests of other Nixes call it as: setup.sh --nix SUITE  It prints a folder with that of a Debian suite.
# For the test in a virtual machine, with-nix calls: setup.sh --vm  It prints the folder that is <dgd-vm>.
set -euo pipefail
export LC_ALL=C

readonly stamp=$1 prefix=$DGD_NIX_PREFIX
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly root setup=$root/pkgs/setup

say() { echo "with-nix: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

if [[ $stamp == --nix ]]; then
  suite=$2
fi
for file in env apt nix packages go sshd vm; do
  . "$setup/$file.sh"
done

# The place of a step's result: NAME and a hash of FILES… below pkgs/setup, so that a changed step is done again.
place() { # NAME FILES…
  local hash
  hash=$({ cd "$setup" && cat -- "${@:2}" && echo "$EUID $(dpkg --print-architecture)"; } | sha256sum)
  echo "$prefix/$1-${hash:0:16}"
}

need_apt() { # WHAT-TO-INSTALL
  type -P apt-get dpkg dpkg-deb >/dev/null || fail "there is no apt on this machine to fetch Debian packages with; $1"
}

[[ $root$prefix != *[[:space:]:=]* ]] ||
  fail "$root and $prefix must be names without spaces, colons and equal signs"

mkdir -p "$prefix"
exec 9>"$prefix/lock"
flock --nonblock 9 || {
  say "waiting for another set-up in $prefix"
  flock 9
}
if [[ $stamp == --sshd ]]; then
  need_apt "install SSH"
  sshd=$(place sshd apt.sh nix.sh sshd.sh)
  [[ -e $sshd ]] || setup_sshd "$sshd"
  echo "$sshd/bin"
  exit 0
fi
if [[ $stamp == --nix ]]; then
  need_apt "make nixpkgs known as <nixpkgs>"
  nix=$(place "nix-$suite" apt.sh nix.sh)
  [[ -e $nix ]] || setup_nix "$nix"
  echo "$nix/bin"
  exit 0
fi
if [[ $stamp == --vm ]]; then
  need_apt "make nixpkgs known as <nixpkgs>"
  vm=$(place vm apt.sh vm.sh)
  vm_whole "$vm" || setup_vm "$vm"
  echo "$vm"
  exit 0
fi
! ready "$stamp" || exit 0

nix_bin='' sandbox_shell='' slots='' packages='' go_bin='' store_paths=''

if ! nix_serves; then
  need_apt "install Nix $nix_wanted or newer, see nixos.org"
  nix=$(place nix apt.sh nix.sh)
  [[ -e $nix ]] || setup_nix "$nix"
  nix_bin=$nix/bin sandbox_shell=$nix/root/usr/bin/bash-static
  version=$("$nix_bin/nix" --version)
  slots=$(slots_for "${version##* }" "$(nproc)")
fi

if ! type -P go >/dev/null; then
  need_apt "install Go"
  go=$(place go apt.sh go.sh)
  [[ -e $go ]] || setup_go "$go"
  go_bin=$go/bin
fi

enter
check_sandbox

if ! nixpkgs_serves; then
  need_apt "make nixpkgs known as <nixpkgs>"
  packages=$(place packages apt.sh packages.sh packages)
  packages_whole "$packages" || setup_packages "$packages"
  enter
  setup_toolchain "$prefix/toolchain"
  read -r package < <(package_paths "$packages")
  store_paths="$packages/default.nix $(store_root)$package $(store_root)$(toolchain_path)"
fi

for name in nix_bin sandbox_shell slots packages go_bin store_paths; do
  echo "$name=${!name@Q}"
done >"$stamp.tmp"
mv -T "$stamp.tmp" "$stamp"
say "ready"
