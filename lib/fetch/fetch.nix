# A fixed-output derivation that fetches with the go command. Its store path follows from name and hash alone, whatever
# fetches it and from where.
{ pkgs }:
{
  name,
  hash,
  go,
  env, # of a builder; only the variables of fetch-variables.nix, DGD_FETCH_TIMEOUT and SSL_CERT_FILE are used
  script,
  vars ? { }, # variables of the script
  passAsFile ? [ ],
}:
let
  variables = import ./fetch-variables.nix;
  fetchEnv = builtins.intersectAttrs ((import ../functions.nix).setOf (variables { })) env;
in
pkgs.stdenvNoCC.mkDerivation (
  vars
  // {
    inherit name passAsFile;
    nativeBuildInputs = [
      go
      pkgs.gitMinimal
    ];
    env = fetchEnv // {
      GO111MODULE = "on";
      GOFLAGS = "-modcacherw";
      GOTOOLCHAIN = "local";
      # The go command has no time limit of its own.
      DGD_FETCH_TIMEOUT = env.DGD_FETCH_TIMEOUT or "30m";
      SSL_CERT_FILE = env.SSL_CERT_FILE or "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
    };
    impureEnvVars = variables fetchEnv;
    buildCommand = ''
      source ${./fetch-setup.sh}
      export GOCACHE=$TMPDIR/cache GOMODCACHE=$TMPDIR/modules
      mkdir work
      cd work
      ${script}
    '';
    outputHashMode = "recursive";
    outputHash = hash;
    outputHashAlgo = if hash == "" then "sha256" else null;
  }
)
