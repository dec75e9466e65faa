# The Debian packages that the package set is made from, in the store. Sourced by setup.sh.

# setup_packages TARGET: every package is a store path of its own; TARGET/default.nix maps names to paths.
setup_packages() {
  local target=$1 tmp=$1.tmp deb name path wanted
  say "fetching the package set from Debian's $suite suite"
  rm -rf "$tmp"
  mkdir -p "$tmp/unpacked" "$tmp/roots"
  mapfile -t wanted <"$setup/packages"
  apt_fetch "${wanted[@]}" >"$tmp/list"
  say "unpacking $(wc -l <"$tmp/list") packages"
  while read -r deb; do
    name=${deb%%_*}
    dpkg-deb -x "$apt/archives/$deb" "$tmp/unpacked/$name"
    (
      cd "$tmp/unpacked/$name"
      rm -rf etc var usr/bin/*-lto-dump-* usr/share/{applications,bug,doc,gdb,info,lintian,locale,man,perl5} usr/lib/*/gconv
      find . -type d -empty -delete
    )
    [[ -e $tmp/unpacked/$name ]] || sed -i "/^${name}_/d" "$tmp/list"
  done <<<"$(<"$tmp/list")"
  # The machine's own certificates, under the name that nixpkgs gives them.
  mkdir -p "$tmp/unpacked/cacert/etc/ssl/certs"
  cp -L "$NIX_SSL_CERT_FILE" "$tmp/unpacked/cacert/etc/ssl/certs/ca-bundle.crt"
  chmod 644 "$tmp/unpacked/cacert/etc/ssl/certs/ca-bundle.crt"
  {
    echo "{"
    (cd "$tmp/unpacked" && nix-store --add -- *) | while read -r path; do
      nix-store --realise --add-root "$target/roots/${path##*/}" "$path" >/dev/null
      echo "  \"${path#/nix/store/*-}\" = \"$path\";"
    done
    echo "}"
  } >"$tmp/default.nix"
  chmod -R u+w "$tmp/unpacked"
  rm -rf "$tmp/unpacked" "$target"
  mv -T "$tmp" "$target"
}
