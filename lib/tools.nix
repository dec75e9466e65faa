# dgd's own programs. Each is built from its own folders and the part of go.mod that these need: every plan depends on
# dgd-plan and every inner derivation on dgd-exec, so that neither may change with the command line, a test or a page.
{ pkgs }:
let
  inherit (builtins) attrNames;
  inherit (import ./functions.nix) setOf;

  # The Go version that go.mod requires. The package set's default Go may be older, and attributes of Go versions that
  # nixpkgs has removed throw.
  wanted = builtins.head (builtins.match ".*\ngo ([0-9.]+)\n.*" (builtins.readFile ../go.mod));
  versionOf =
    name:
    let
      tried = builtins.tryEval (pkgs.${name}.version or "0");
    in
    if tried.success then tried.value else "0";
  fits = name: builtins.compareVersions (versionOf name) wanted >= 0;
  newest = builtins.sort (a: b: builtins.compareVersions (versionOf a) (versionOf b) > 0) (
    builtins.filter (name: builtins.match "go_1_[0-9]+" name != null && fits name) (attrNames pkgs)
  );
  go =
    if fits "go" then
      pkgs.go
    else if newest != [ ] then
      pkgs.${builtins.head newest}
    else
      throw "dgd's own programs need Go ${wanted} or newer, and this package set has ${versionOf "go"}: take a newer nixpkgs, or give dgd the Go, as in pkgs = pkgs // { go_1_26 = …; }";

  # The files that are directly in the given directories of this project, without tests. Every evaluation asks this about
  # each file, hence the sets.
  sources =
    name: dirs:
    let
      root = toString ../.;
      kept = setOf (map (dir: "${root}/${dir}") dirs);
      # The directories and those that they are in.
      entered = setOf (builtins.concatMap above (attrNames kept));
      above = dir: if dir == root then [ ] else [ dir ] ++ above (dirOf dir);
      filter =
        path: type:
        if type == "directory" then entered ? ${path} else kept ? ${dirOf path} && !hasSuffix "_test.go" path;
    in
    builtins.path {
      path = ../.;
      inherit name filter;
    };
  hasSuffix =
    suffix: s:
    let
      n = builtins.stringLength s - builtins.stringLength suffix;
    in
    n >= 0 && builtins.substring n (builtins.stringLength suffix) s == suffix;

  # This project's go.mod, with the lines of the given modules alone.
  goMod =
    modules:
    let
      lines = builtins.filter builtins.isString (builtins.split "\n" (builtins.readFile ../go.mod));
      # The module that a line requires or replaces.
      about = builtins.match "(\t|replace )([^ ]+) .*";
      isKept = line: about line == null || builtins.elem (builtins.elemAt (about line) 1) modules;
    in
    builtins.toFile "go.mod" (builtins.concatStringsSep "\n" (builtins.filter isKept lines));

  goEnv = {
    CGO_ENABLED = "0";
    GOFLAGS = "-trimpath -buildvcs=false";
    GOTOOLCHAIN = "local";
    GOENV = "off";
  };

  # A derivation that runs commands in a copy of the sources.
  inSources =
    {
      name,
      src,
      mod,
      commands,
      attrs,
    }:
    pkgs.stdenvNoCC.mkDerivation (
      {
        inherit name;
        env = goEnv;
        nativeBuildInputs = [ go ];
        buildCommand = ''
          export HOME=$TMPDIR GOCACHE=$TMPDIR/cache GOPATH=$TMPDIR/gopath
          mkdir work
          cd work
          cp -r ${src}/. .
          chmod -R u+w .
          cp ${mod} go.mod
          ${commands}
        '';
      }
      // attrs
    );

  build =
    {
      name,
      folders, # below internal, which it is built from
      modules ? [ ], # the modules of go.mod that it needs
      vendorHash ? null, # of these modules
      install ? "", # commands that add to the output
    }:
    let
      src = sources "${name}-src" ([ "cmd/${name}" ] ++ map (p: "internal/${p}") folders);
      mod = goMod modules;
      vendor = inSources {
        name = "${name}-modules";
        inherit src mod;
        commands = ''
          export SSL_CERT_FILE=${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt
          cp ${../go.sum} go.sum
          go mod vendor -o $out
        '';
        attrs = {
          impureEnvVars = import ./fetch/fetch-variables.nix { };
          outputHashMode = "recursive";
          outputHashAlgo = "sha256";
          outputHash = vendorHash;
        };
      };
    in
    inSources {
      inherit name src mod;
      commands = ''
        ${if vendorHash == null then "" else "ln -s ${vendor} vendor"}
        export GOPROXY=off
        mkdir -p $out/bin
        go build -ldflags='-s -w -buildid=' -o $out/bin/${name} ./cmd/${name}
        ${install}
      '';
      attrs.disallowedReferences = [ go ];
    };

  # The folders and the modules that the planner needs.
  planner = {
    folders = [
      "action"
      "bind"
      "buildscript"
      "drvgen"
      "gocmd"
      "goflags"
      "graph"
      "group"
      "lock"
      "modules"
      "nix/drvfile"
      "nix/nar"
      "nix/socket"
      "planfile"
      "skeleton"
      "stage"
      "testrun"
      "workspace"
    ];
    modules = [
      "github.com/nix-community/go-nix"
      "golang.org/x/mod"
      "golang.org/x/sync"
      "mvdan.cc/sh/v3"
    ];
  };
in
{
  # The executor: the builder of the inner derivations.
  dgd-exec = build {
    name = "dgd-exec";
    folders = [
      "action"
      "executor"
      "testrun"
    ];
    # A lock file for each core of the machine that builds (see internal/executor/core.go). Their contents differ, so that
    # they stay separate files in an optimised store.
    install = ''
      mkdir $out/cores
      echo queue >$out/cores/queue
      for i in {0..255}; do echo "core $i" >$out/cores/$i; done
    '';
  };

  # The planner: the builder of the planning derivations.
  dgd-plan = build (
    planner
    // {
      name = "dgd-plan";
      vendorHash = "sha256-P0TYMZqy+EuRUNWeQvZRgA8Q04i2ipMV/ZFEUZ67cBA=";
    }
  );

  # The command line for people. No derivation of a build depends on it.
  dgd = build {
    name = "dgd";
    folders = planner.folders ++ [
      "inspect/closure"
      "inspect/drvdiff"
      "inspect/packages"
      "inspect/sbom"
      "lock/making"
      "nix/store"
    ];
    modules = planner.modules ++ [
      "github.com/CycloneDX/cyclonedx-go"
      "github.com/inconshreveable/mousetrap"
      "github.com/spf13/cobra"
      "github.com/spf13/pflag"
    ];
    vendorHash = "sha256-WpI2GMnBK0Lhx2ESVNrmr+3S3e3GkXp5jnhgp6I+bNg=";
  };
}
