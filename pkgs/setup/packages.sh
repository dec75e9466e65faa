# The Debian packages that the package set is made of, in the store. Sourced by setup.sh.

# Every package is a store path of its own; TARGET/default.nix maps their names to the paths.
setup_packages() { # TARGET
  local target=$1 tmp=$1.tmp added name path
  local -a wanted paths
  say "fetching the package set from Debian's $suite suite"
  rm -rf "$tmp"
  mkdir -p "$tmp/unpacked"
  mapfile -t wanted <"$setup/packages"
  apt_fetch "${wanted[@]}" >"$tmp/list"
  say "unpacking $(wc -l <"$tmp/list") packages"
  # Perl comes with git, which needs it for rare commands only.
  sed -E "/^(lib)?perl|^git-man/d; s|^([^_]+)_.*|$apt/archives/&\n$tmp/unpacked/\1|" "$tmp/list" |
    xargs -P "$(nproc)" -n 2 dpkg-deb -x
  rm -rf "$tmp"/unpacked/*/{etc,var,usr/lib/*/gconv,usr/bin/*-lto-dump-*}
  rm -rf "$tmp"/unpacked/*/usr/share/{applications,bug,doc,gdb,info,lintian,locale,man,perl5}
  find "$tmp/unpacked" -mindepth 1 -type d -empty -delete
  # The machine's own certificates, under the name that nixpkgs gives them.
  install -D -m 644 "${NIX_SSL_CERT_FILE:-/dev/null}" "$tmp/unpacked/cacert/etc/ssl/certs/ca-bundle.crt"

  added=$(cd "$tmp/unpacked" && nix-store --add -- *)
  mapfile -t paths <<<"$added"
  nix-store --realise --add-root "$target.roots/root" "${paths[@]}" >/dev/null
  {
    echo "{"
    for path in "${paths[@]}"; do
      name=${path##*/}
      echo "  \"${name#*-}\" = \"$path\";"
    done
    echo "}"
  } >"$tmp/default.nix"
  rm -rf "$tmp/unpacked" "$target"
  mv -T "$tmp" "$target"
}

package_paths() { sed -nE 's/.* = "(.*)";/\1/p' "$1/default.nix"; } # TARGET

packages_whole() { # TARGET
  [[ -e $1/default.nix ]] && package_paths "$1" | xargs nix-store --check-validity 2>/dev/null
}
