# Nix: the machine's own, or that of Debian packages in a folder of its own. Sourced by setup.sh.

# Older ones cannot read the planner's derivations, or lack the features that the tests need.
readonly nix_wanted=2.30

nix_serves() {
  local version
  type -P nix nix-build nix-store >/dev/null &&
    version=$(nix --version) &&
    printf '%s\n' "$nix_wanted" "${version##* }" | sort --version-sort --check=quiet &&
    [[ $(enter && nix eval --expr 'builtins ? outputOf') == true ]]
}

# The machine's own <nixpkgs> serves where it has all names but those of single Go versions, which come and go, and those
# that dgd can do without.
nixpkgs_serves() {
  local answer
  answer=$(nix-instantiate --eval 2>/dev/null --expr "
    let pkgs = import <nixpkgs> { }; in
    builtins.all (name: pkgs ? \${name} || builtins.match \"go_.*|.*[?]\" name != null)
      (import $root/lib/nixpkgs-names.nix)
  ") && [[ $answer == true ]]
}

# The loader of the packages that are unpacked in ROOT, as a name below it.
prefix_loader() { # ROOT
  (cd "$1" && echo usr/lib/*-linux-gnu*/ld-linux*.so.*)
}

# The folders of their libraries, as they will be below TARGET. Older Nixes have one of their own.
prefix_libs() { # ROOT TARGET
  (cd "$1" && find usr/lib -mindepth 2 -maxdepth 2 \( -path '*-linux-gnu*/*.so.*' -o -path '*/nix/*.so' \) -printf '%h\n') |
    sort -u | sed "s|^|$2/|" | paste -sd:
}

# A program of the prefix starts through the prefix's own loader: the machine's C library may be older.
nix_wrapper() { # NAME PROGRAM LOADER LIBRARY-PATH
  cat <<EOF
#!/bin/sh
exec '$3' --argv0 $1 --library-path '$4' '$2' "\$@"
EOF
}

# TARGET/root holds the packages, TARGET/bin the commands.
setup_nix() { # TARGET
  local target=$1 tmp=$1.tmp deb dir libs loader program
  say "fetching Nix from Debian's $suite suite"
  rm -rf "$tmp"
  mkdir -p "$tmp/root" "$tmp/bin"
  apt_fetch nix-bin bash-static >"$tmp/list"
  while read -r deb; do
    # Perl comes with them, but no program of Nix that is needed here is written in it.
    [[ $deb == perl* || $deb == *-perl_* || $deb == libperl* ]] || dpkg-deb -x "$apt/archives/$deb" "$tmp/root"
  done <"$tmp/list"
  rm -rf "$tmp/root/usr/share"
  # In older suites programs and libraries are not merged into /usr yet.
  for dir in bin lib; do
    [[ ! -d $tmp/root/$dir ]] || cp -a "$tmp/root/$dir/." "$tmp/root/usr/$dir"
  done
  loader=$(prefix_loader "$tmp/root")
  libs=$(prefix_libs "$tmp/root" "$target/root")
  for program in "$tmp"/root/usr/bin/nix*; do
    program=${program##*/}
    nix_wrapper "$program" "$target/root/usr/bin/$program" "$target/root/$loader" "$libs" >"$tmp/bin/$program"
  done
  # For who sets build-hook: older Nixes look for it where the package puts it.
  nix_wrapper build-remote "$target/root/usr/bin/nix" "$target/root/$loader" "$libs" >"$tmp/bin/build-remote"
  chmod +x "$tmp"/bin/*
  rm -rf "$target"
  mv -T "$tmp" "$target"
}

# No build without a sandbox: better to hear here than in the first build that there can be none.
check_sandbox() {
  local output
  [[ $nix_bin ]] || return 0
  output=$(nix-build --no-out-link --expr 'derivation {
    name = "with-nix-check"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo > $out" ];
  }' 2>&1) || fail "Nix cannot build in a sandbox here (may this user make namespaces?):
$output"
}
