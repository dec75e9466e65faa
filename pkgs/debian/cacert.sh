# The setup hook of nixpkgs' cacert: it sets SSL_CERT_FILE in any case, and leaves NIX_SSL_CERT_FILE to the build.
mkdir -p "$out/nix-support"
cat >"$out/nix-support/setup-hook" <<EOF
export NIX_SSL_CERT_FILE="\${NIX_SSL_CERT_FILE:-$out/etc/ssl/certs/ca-bundle.crt}"
if [ ! -r "\$NIX_SSL_CERT_FILE" ]; then
  export NIX_SSL_CERT_FILE="$out/etc/ssl/certs/ca-bundle.crt"
fi
export SSL_CERT_FILE="\$NIX_SSL_CERT_FILE"
EOF
