# Fetches the toolchain module $module with the toolchain $go into $out, which has a pinned hash.
set -eu
if [[ ! $go ]]; then
  echo "$out is missing; with-nix puts it into the store: run it again" >&2
  exit 1
fi
export HOME=$PWD/home GOMODCACHE=$PWD/modules GOTOOLCHAIN=local GOFLAGS=-modcacherw
mkdir empty
cd empty # away from the build's own folder, where go would look for a go.mod
"$go/bin/go" mod download "$module"
. "$layout" "$GOMODCACHE/$module" "$out"
