# A published module's source tree, from the module proxy.
{ pkgs }:
{
  module,
  version,
  hash,
  go ? pkgs.go,
}:
pkgs.stdenvNoCC.mkDerivation {
  name = "source";
  nativeBuildInputs = [ go ];
  env = {
    inherit module version;
    GOTOOLCHAIN = "local";
  };
  impureEnvVars = import ./fetch-variables.nix { };
  buildCommand = ''
    export HOME=$TMPDIR GOCACHE=$TMPDIR/cache GOPATH=$TMPDIR/gopath GOFLAGS=-modcacherw GO111MODULE=on
    export SSL_CERT_FILE=${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt
    mkdir work
    cd work
    go mod download -json "$module@$version" > answer || {
      cat answer >&2
      exit 1
    }
    dir=$(sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p' answer)
    cp -r "$dir" $out
  '';
  outputHashMode = "recursive";
  outputHash = hash;
  outputHashAlgo = if hash == "" then "sha256" else null;
}
