# A derivation that fetches with the go command. Its output is known by its name and hash: who fetched it, and from
# where, does not count.
{ pkgs }:
{
  name,
  hash,
  go,
  env, # of a program; what concerns fetches counts
  script,
  vars ? { }, # of the script
  passAsFile ? [ ],
}:
let
  variables = import ./fetch-variables.nix;
  fetchEnv = builtins.intersectAttrs (builtins.listToAttrs (
    map (name: {
      inherit name;
      value = null;
    }) (variables { })
  )) env;
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
      # The go command waits for ever.
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
