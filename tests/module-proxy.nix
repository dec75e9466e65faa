# The modules that the examples need, as a folder that GOPROXY can name.
{ pkgs }:
let
  # What is fetched as a source is named, not fetched.
  examples = builtins.attrValues (
    import ../examples/args.nix {
      inherit pkgs;
      fetchGoModule = module: module;
    }
  );
  sources = builtins.filter (e: e.src ? module) examples;
  programs = builtins.filter (e: !(e.src ? module) && (e ? modules || e.vendorHash != null)) examples;
in
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
    ${builtins.concatStringsSep "\n" (map (e: "go mod download ${e.src.module}@${e.src.version}") sources)}
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
    ${builtins.concatStringsSep "\n" (map (e: ''fetch ${e.src} "${e.modRoot or "."}"'') programs)}

    cp -r "$GOMODCACHE/cache/download" $out
    # Proxies differ in whether they name a version's origin.
    find $out -name '*.info' -exec sed -i -E 's/,"Origin":\{[^}]*\}//' {} +
    rm -rf $out/sumdb
    find $out -type f ! -name '*.info' ! -name '*.mod' ! -name '*.zip' -delete
  '';
  dontFixup = true;
  outputHashMode = "recursive";
  outputHashAlgo = "sha256";
  outputHash = "sha256-rOsgjr8CiAdiqoGvnokSP4CqF6WqQ2DCFGyOCjqzlFU=";
}
