# The modules of a program as one fixed-output derivation: the output of `go mod vendor`, in a workspace of
# `go work vendor`, or with proxyVendor the download cache of `go mod download`. It is the tree that nixpkgs' buildGoModule
# fetches, so that vendorHash is the same.
#
# The arguments have the names and meanings that they have for buildGoModule. Only `src` and `vendorHash` are required.
{ pkgs }:
{
  src,
  vendorHash,
  go ? pkgs.go,
  gitMinimal ? pkgs.gitMinimal,
  cacert ? pkgs.cacert,
  name ? null, # the name of the program
  env ? { },
  proxyVendor ? false,
  deleteVendor ? false,
  modRoot ? "./",
  goSum ? null, # a file whose hash becomes part of the derivation's name, so that a change of the file fetches again
  nativeBuildInputs ? [ ],
  patches ? [ ],
  patchFlags ? [ ],
  prePatch ? "",
  postPatch ? "",
  preBuild ? "",
  sourceRoot ? "",
  setSourceRoot ? "",
  modPostBuild ? "",
  # Phases in place of the default ones.
  modConfigurePhase ? null,
  modBuildPhase ? null,
  modInstallPhase ? null,
  modAttrs ? { }, # further attributes of the derivation
  overrideModAttrs ? (_: { }), # the argument of the derivation's overrideAttrs
}:
let
  default = value: other: if value != null then value else other;
  when = condition: text: if condition then text else "";
  # The suffix that nixpkgs gives the name: the hash in the store path of a go.sum, or the whole base name of another file.
  sumOf =
    path:
    let
      base = builtins.replaceStrings [ "${builtins.storeDir}/" ] [ "" ] (builtins.unsafeDiscardStringContext path);
      hash = builtins.match "(.*)-go[.]sum" base;
    in
    if hash == null then base else builtins.head hash;
in
(pkgs.stdenv.mkDerivation (
  {
    name = when (name != null) "${name}-" + "go-modules" + when (goSum != null) "-${sumOf "${goSum}"}";
    inherit
      src
      modRoot
      patches
      patchFlags
      prePatch
      postPatch
      preBuild
      sourceRoot
      setSourceRoot
      goSum
      ;
    postBuild = modPostBuild;
    nativeBuildInputs = nativeBuildInputs ++ [
      go
      gitMinimal
      cacert
    ];
    env = {
      GO111MODULE = "on";
      GOTOOLCHAIN = "local";
      SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
    }
    // builtins.intersectAttrs {
      GOOS = null;
      GOARCH = null;
    } go
    # The setup hook of cacert sets SSL_CERT_FILE to this.
    // (if env ? SSL_CERT_FILE then { NIX_SSL_CERT_FILE = env.SSL_CERT_FILE; } else { })
    // env;
    impureEnvVars = import ./fetch-variables.nix env;

    configurePhase = default modConfigurePhase ''
      runHook preConfigure
      source ${./fetch-setup.sh}
      export GOCACHE=$TMPDIR/go-cache
      export GOPATH=$TMPDIR/go
      if [ ! -d "''${modRoot:-.}" ]; then
        echo "dgd: modRoot is $modRoot, which is not a directory in src" >&2
        exit 10
      fi
      cd "$modRoot"
      runHook postConfigure
    '';

    buildPhase = default modBuildPhase ''
      runHook preBuild

      # ssh ends its messages with a carriage return, and of such a line Nix shows nothing.
      dgdFetch() {
        go "$@" 2>&1 | tr -d '\r' >&2
        return "''${PIPESTATUS[0]}"
      }
      dgdKind=mod
      dgdWork=$(go env GOWORK)
      if [ -n "$dgdWork" ] && [ "$dgdWork" != off ]; then
        dgdKind=work
        cd "''${dgdWork%/*}"
      fi
      ${when deleteVendor ''
        if [ ! -d vendor ]; then
          echo "dgd: src has no vendor directory: leave out deleteVendor" >&2
          exit 10
        fi
        rm -rf vendor
      ''}
      if [ -d vendor ] && [ ! -f vendor/modules.txt ]; then
        echo "dgd: src has a vendor directory of its own without modules.txt, which go does not build with: set deleteVendor = true, or run go $dgdKind vendor and leave out vendorHash" >&2
        exit 10
      fi
      if [ -d vendor ]; then
        echo "dgd: src has a vendor directory of its own: leave out vendorHash or set it to null, or set deleteVendor = true" >&2
        exit 10
      fi

      ${
        if proxyVendor then
          ''
            mkdir -p "$GOPATH/pkg/mod/cache/download"
            dgdFetch mod download
          ''
        else
          ''
            if (( "''${NIX_DEBUG:-0}" >= 1 )); then
              goModVendorFlags+=(-v)
            fi
            dgdFetch $dgdKind vendor "''${goModVendorFlags[@]}"
          ''
      }
      mkdir -p vendor

      runHook postBuild
    '';

    installPhase = default modInstallPhase ''
      runHook preInstall

      ${
        if proxyVendor then
          ''
            rm -rf "$GOPATH/pkg/mod/cache/download/sumdb"
            cp -r --reflink=auto "$GOPATH/pkg/mod/cache/download" $out
          ''
        else
          ''
            cp -r --reflink=auto vendor $out
          ''
      }
      if [ -z "$(ls -A $out)" ]; then
        echo "dgd: the program needs no modules: leave out vendorHash, or set it to null" >&2
        exit 10
      fi

      runHook postInstall
    '';

    dontFixup = true;

    outputHashMode = "recursive";
    outputHash = vendorHash;
    # An empty hash does not tell the algorithm.
    outputHashAlgo = if vendorHash == "" then "sha256" else null;
  }
  // modAttrs
)).overrideAttrs
  overrideModAttrs
