# What `go mod vendor` writes, as one fixed-output derivation: the same tree, and so the same hash, as in buildGoModule.
{ pkgs }:
{
  src,
  vendorHash,
  go,
  env,
}:
pkgs.stdenvNoCC.mkDerivation {
  name = "go-modules";
  inherit src;
  nativeBuildInputs = [ go ];
  env = env // {
    GOTOOLCHAIN = "local";
  };
  impureEnvVars = import ./fetch-variables.nix env;
  buildCommand = ''
    export HOME=$TMPDIR GOCACHE=$TMPDIR/cache GOPATH=$TMPDIR/gopath
    export SSL_CERT_FILE=${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt
    mkdir source
    cd source
    cp -r $src/. .
    chmod -R u+w .
    if [ -d vendor ]; then
      echo "dgd: src has a vendor directory of its own: leave out vendorHash, or set it to null" >&2
      exit 1
    fi
    go mod vendor
    if [ ! -d vendor ]; then
      echo "dgd: the program needs no modules: leave out vendorHash, or set it to null" >&2
      exit 1
    fi
    cp -r vendor $out
  '';
  outputHashMode = "recursive";
  outputHash = vendorHash;
  outputHashAlgo = if vendorHash == "" then "sha256" else null;
}
