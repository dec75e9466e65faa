# Nix from Debian packages, in a folder of its own. Sourced by setup.sh.

# Programs of the prefix start through the prefix's own loader: the machine's libc may be older.
nix_wrapper() {
  cat <<EOF
#!/bin/sh
exec '$2' --argv0 $1 --library-path '$3' '$4' "\$@"
EOF
}

# setup_nix TARGET: TARGET/root holds the packages, TARGET/bin the commands.
setup_nix() {
  local target=$1 tmp=$1.tmp deb libs loader program
  say "fetching Nix from Debian's $suite suite"
  apt_fetch nix-bin bash-static >"$prefix/nix.list"
  rm -rf "$tmp"
  mkdir -p "$tmp/root" "$tmp/bin"
  while read -r deb; do
    dpkg-deb -x "$apt/archives/$deb" "$tmp/root"
  done <"$prefix/nix.list"
  rm -rf "$tmp"/root/usr/share/{doc,man,locale,info}
  loader=$(cd "$tmp/root" && echo usr/lib*/ld-linux-*.so.* usr/lib/*/ld-linux-*.so.*)
  loader=$target/root/${loader##* }
  libs=$(cd "$tmp/root" && find usr/lib -name '*.so*' -printf '%h\n' | sort -u |
    grep -E '^usr/lib/[^/]*-linux-gnu(/(nix|systemd))?$' | sed "s|^|$target/root/|" | paste -sd:)
  for program in "$tmp"/root/usr/bin/nix*; do
    program=${program##*/}
    nix_wrapper "$program" "$loader" "$libs" "$target/root/usr/bin/$program" >"$tmp/bin/$program"
  done
  chmod +x "$tmp"/bin/*
  rm -rf "$target"
  mv -T "$tmp" "$target"
}
