# Go: the machine's own or Debian's, and with it the first toolchain of the package set. Sourced by setup.sh.

# Debian's Go, for machines without one.
setup_go() { # TARGET
  local target=$1 tmp=$1.tmp deb goroot
  say "fetching Go from Debian's $suite suite"
  rm -rf "$tmp"
  mkdir -p "$tmp/root" "$tmp/bin"
  apt_fetch golang-go >"$tmp/list"
  while read -r deb; do
    case $deb in
      golang-*) dpkg-deb -x "$apt/archives/$deb" "$tmp/root" ;;
    esac
  done <"$tmp/list"
  goroot=$(cd "$tmp/root" && echo usr/lib/go-*)
  ln -s "../root/$goroot/bin/go" "../root/$goroot/bin/gofmt" "$tmp/bin"
  rm -rf "$target"
  mv -T "$tmp" "$target"
}

# Expressions over pkgs/go/toolchains.nix and the package set.
toolchains() { nix-instantiate --eval --raw --expr "with import $root/pkgs/go/toolchains.nix; $1"; }

toolchain_path() { toolchains '(import <nixpkgs> { }).${bootstrap}.outPath'; }

# The bootstrap toolchain, as a store path with a pinned hash.
setup_toolchain() { # ROOT
  local tmp=$prefix/toolchain.tmp path module answer
  path=$(toolchain_path)
  if ! nix-store --check-validity "$path" 2>/dev/null; then
    module=$(toolchains 'module builtins.currentSystem versions.${bootstrap}.version')
    say "fetching ${module##*/} from the Go module proxy"
    rm -rf "$tmp"
    mkdir -p "$tmp/empty"
    # Away from any go.mod; with -json, go tells its errors there, too.
    answer=$(cd "$tmp/empty" && GOTOOLCHAIN=local GOWORK=off GOFLAGS= go mod download -json "$module") ||
      fail "go could not fetch $module: $answer"
    bash "$root/pkgs/go/layout.sh" "$(sed -nE 's/^\t"Dir": "(.*)",?$/\1/p' <<<"$answer")" "$tmp/${path#*-}"
    nix-store --add-fixed --recursive sha256 "$tmp/${path#*-}" >/dev/null
    nix-store --check-validity "$path" || fail "$module is not what pkgs/go/toolchains.nix says it is"
    rm -rf "$tmp"
  fi
  nix-store --realise --add-root "$1" "$path" >/dev/null
}
