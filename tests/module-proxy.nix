# The modules that programs need, as a directory that GOPROXY can name. It has no origins of versions, which some proxies
# give and others do not, so that the hash does not depend on the proxy.
{
  pkgs,
  sources ? [ ], # modules that are programs: { module, version }
  programs, # the programs that need modules: { src, modRoot }
  hash,
}:
pkgs.stdenvNoCC.mkDerivation {
  name = "module-proxy";
  nativeBuildInputs = [
    pkgs.go
    pkgs.gitMinimal
  ];
  env = {
    GO111MODULE = "on";
    GOTOOLCHAIN = "local";
    GOFLAGS = "-modcacherw";
    SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
  };
  impureEnvVars = import ../lib/fetch/fetch-variables.nix { };
  buildCommand = ''
    source ${../lib/fetch/fetch-setup.sh}
    export GOCACHE=$TMPDIR/cache GOMODCACHE=$TMPDIR/modules
    mkdir empty
    cd empty
    ${builtins.concatStringsSep "\n" (map (m: "go mod download ${m.module}@${m.version}") sources)}
    fetch() { # SOURCES FOLDER
      cp -r "$1" "$TMPDIR/work"
      chmod -R u+w "$TMPDIR/work"
      cd "$TMPDIR/work/$2"
      if [ -z "$(go env GOWORK)" ]; then
        go mod download
        go mod vendor -o "$TMPDIR/vendored"
      else
        go work vendor -o "$TMPDIR/vendored"
      fi
      cd "$TMPDIR"
      rm -rf work vendored
    }
    ${builtins.concatStringsSep "\n" (map (p: ''fetch ${p.src} "${p.modRoot or "."}"'') programs)}

    cp -r "$GOMODCACHE/cache/download" $out
    find $out -name '*.info' -exec sed -i -E 's/,"Origin":\{[^}]*\}//' {} +
    rm -rf $out/sumdb
    find $out -type f ! -name '*.info' ! -name '*.mod' ! -name '*.zip' -delete
  '';
  dontFixup = true;
  outputHashMode = "recursive";
  outputHashAlgo = "sha256";
  outputHash = hash;
}
