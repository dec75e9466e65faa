#!/usr/bin/env bash
# Sets up what `with-nix` needs below $prefix and leaves its settings in the file STAMP.
# Every step is made beside its place and renamed when it is whole, so a call that was cut short is finished
# by the next one. Called by with-nix as: setup.sh STAMP
set -euo pipefail

readonly stamp=$1 prefix=$DGD_NIX_PREFIX
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here

say() { echo "with-nix: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

. "$here/apt.sh"
. "$here/nix.sh"

# The key of a step: it is done again when one of these files or words changes.
key_of() { { cat -- "${@:2}" && echo "$1"; } | sha256sum | cut -c1-16; }

exec 9>"$prefix/lock"
flock --nonblock 9 || {
  say "waiting for another set-up of $prefix"
  flock 9
}
[[ ! -e $stamp ]] || exit 0

type -P apt-get dpkg-deb >/dev/null ||
  fail "neither Nix nor apt is here; install Nix 2.30 or newer (https://nixos.org/download) with nixpkgs as <nixpkgs>"

nix=$prefix/nix-$(key_of "$(dpkg --print-architecture)" "$here"/{apt,nix}.sh)
[[ -e $nix ]] || setup_nix "$nix"

{
  echo "nix_bin=${nix@Q}/bin"
  echo "sandbox_shell=${nix@Q}/root/usr/bin/bash-static"
} >"$stamp.tmp"
mv -T "$stamp.tmp" "$stamp"
say "ready"
