#!/usr/bin/env bash
# Sets up below $DGD_NIX_PREFIX what `with-nix` needs, and leaves its settings in the file STAMP.
# Every step is made beside its place and renamed when it is whole, so a call that was cut short is finished
# by the next one. Called by with-nix as: setup.sh STAMP
set -euo pipefail

readonly stamp=$1 prefix=$DGD_NIX_PREFIX
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly root setup=$root/pkgs/setup

say() { echo "with-nix: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

. "$setup/apt.sh"
. "$setup/nix.sh"
. "$setup/packages.sh"
. "$setup/go.sh"

# The name of a step's result: NAME and a hash of FILES… below pkgs/setup, so that a changed step is done again.
result() { # NAME FILES…
  local hash
  hash=$({ cd "$setup" && cat -- "${@:2}" && echo "$EUID $(dpkg --print-architecture)"; } | sha256sum)
  echo "$prefix/$1-${hash:0:16}"
}

mkdir -p "$prefix"
exec 9>"$prefix/lock"
flock --nonblock 9 || {
  say "waiting for another set-up of $prefix"
  flock 9
}

type -P apt-get dpkg-deb >/dev/null ||
  fail "neither Nix nor apt is here; install Nix 2.30 or newer (https://nixos.org/download) with nixpkgs as <nixpkgs>"

packages= go_bin=
nix=$(result nix apt.sh nix.sh)
[[ -e $nix ]] || setup_nix "$nix"
nix_bin=$nix/bin sandbox_shell=$nix/root/usr/bin/bash-static

if ! type -P go >/dev/null; then
  go=$(result go apt.sh go.sh)
  [[ -e $go ]] || setup_go "$go"
  go_bin=$go/bin
fi

. "$setup/env.sh"
packages=$(result packages apt.sh packages.sh packages)
[[ -e $packages ]] || setup_packages "$packages"

. "$setup/env.sh"
setup_toolchain "$prefix/toolchain"

echo "nix_bin=${nix_bin@Q} sandbox_shell=${sandbox_shell@Q} packages=${packages@Q} go_bin=${go_bin@Q}" >"$stamp.tmp"
mv -T "$stamp.tmp" "$stamp"
say "ready"
