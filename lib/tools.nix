# The two programs of dgd itself. Their sources are filtered apart: every inner derivation depends on the executor, and
# must not be built anew because the planner or a text changed.
{ pkgs }:
let
  inherit (pkgs) go;

  # The files of this project below the named directories, without tests.
  sources =
    name: paths:
    let
      root = toString ../.;
      wanted =
        path:
        builtins.any (
          p: path == "${root}/${p}" || hasPrefix "${root}/${p}/" path || hasPrefix "${path}/" "${root}/${p}"
        ) paths;
    in
    builtins.path {
      path = ../.;
      inherit name;
      filter = path: type: wanted path && baseNameOf path != "testdata" && !hasSuffix "_test.go" path;
    };
  hasPrefix = prefix: s: builtins.substring 0 (builtins.stringLength prefix) s == prefix;
  hasSuffix =
    suffix: s:
    let
      n = builtins.stringLength s - builtins.stringLength suffix;
    in
    n >= 0 && builtins.substring n (builtins.stringLength suffix) s == suffix;

  goEnv = {
    CGO_ENABLED = "0";
    GOFLAGS = "-trimpath -buildvcs=false";
    GOTOOLCHAIN = "local";
    GOENV = "off";
  };

  build =
    {
      name,
      src,
      prepare,
    }:
    pkgs.stdenvNoCC.mkDerivation {
      inherit name src;
      env = goEnv;
      nativeBuildInputs = [ go ];
      buildCommand = ''
        export HOME=$TMPDIR GOCACHE=$TMPDIR/cache GOPROXY=off
        mkdir work
        cd work
        cp -r $src/. .
        chmod -R u+w .
        ${prepare}
        mkdir -p $out/bin
        go build -ldflags='-s -w -buildid=' -o $out/bin/${name} ./cmd/${name}
      '';
      disallowedReferences = [ go ];
    };

  plannerSources = sources "dgd-plan-src" [
    "go.mod"
    "go.sum"
    "cmd/dgd-plan"
    "internal"
  ];
in
{
  # It has a go.mod of its own: the real one changes with the planner's modules.
  dgd-exec = build {
    name = "dgd-exec";
    src = sources "dgd-exec-src" [
      "cmd/dgd-exec"
      "internal/action"
      "internal/executor"
    ];
    prepare = ''
      printf 'module dgd\n\ngo 1.25\n' > go.mod
    '';
  };

  dgd-plan = build {
    name = "dgd-plan";
    src = plannerSources;
    prepare = ''
      cp -r ${
        pkgs.stdenvNoCC.mkDerivation {
          name = "dgd-plan-modules";
          src = plannerSources;
          env = goEnv;
          nativeBuildInputs = [ go ];
          impureEnvVars = import ./fetch-variables.nix { };
          buildCommand = ''
            export HOME=$TMPDIR GOCACHE=$TMPDIR/cache GOPATH=$TMPDIR/gopath
            export SSL_CERT_FILE=${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt
            mkdir work
            cd work
            cp -r $src/. .
            chmod -R u+w .
            go mod vendor -o $out
          '';
          outputHashMode = "recursive";
          outputHashAlgo = "sha256";
          outputHash = "sha256-VMwinMmp9jgRCpxf47IBBWj8I6ugVRNNRdfY/fv2sEY=";
        }
      } vendor
    '';
  };
}
