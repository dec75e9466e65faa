# What the tests build, with the toolchain `go`, in a mode: "ifd" (import from derivation), "dyn" (dynamic derivations), or
# "plan", in which the examples have plans in files and everything else is built as in "ifd".
{
  dgd,
  pkgs,
  mode,
  go ? pkgs.go,
}:
let
  useDynDrv =
    if builtins.elem mode [ "ifd" "dyn" "plan" ] then
      mode == "dyn"
    else
      throw "dgd: `mode` must be \"ifd\", \"dyn\" or \"plan\"";
  exampleArgs = import ../examples/args.nix {
    inherit pkgs;
    inherit (dgd) fetchGoModule;
  };
  reference =
    args:
    import ./reference.nix {
      inherit pkgs;
      lib = dgd.internal;
    } (args // { inherit go; });
  programArgs = builtins.mapAttrs (
    _: p:
    let
      src = dgd.fetchGoModule { inherit (p) module version hash; };
      # A download cache has the origins of versions that the proxy gives: with this proxy the hash is the same everywhere.
      proxy = import ./module-proxy.nix {
        inherit pkgs;
        programs = [ { inherit src; } ];
        hash = p.proxyHash;
      };
    in
    {
      inherit src;
      inherit (p)
        vendorHash
        proxyVendor
        subPackage
        tags
        ;
      env = p.env // (if p.proxyVendor then { GOPROXY = "file://${proxy}"; } else { });
      inherit go;
    }
  ) (import ./programs.nix);
  build = if useDynDrv then dgd.buildWithDynDrv else dgd.buildWithIFD;
  byPlan = import ./by-plan.nix {
    inherit dgd pkgs go;
    args = exampleArgs;
    others = import ../examples {
      inherit
        dgd
        pkgs
        useDynDrv
        go
        ;
    };
  };
  # The attributes of a set with these names.
  some =
    names: set:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = set.${name};
      }) names
    );
in
rec {
  examples = if mode == "plan" then byPlan.examples else byPlan.others;
  # The examples that cannot have a plan in a file, with the reason.
  inherit (byPlan) withoutPlan;

  # The same with another toolchain: -A tests.withGo --arg go '(import <nixpkgs> { }).go_1_24'
  withGo =
    { go }:
    import ./. {
      inherit
        dgd
        pkgs
        mode
        go
        ;
    };

  testExamples = someExamples { names = builtins.attrNames examples; };

  # Some examples: nix-build -A tests.someExamples --arg names '[ "hello" "cgo" ]'
  someExamples =
    { names }:
    import ./examples.nix {
      inherit pkgs;
      examples = some names examples;
      expect = builtins.mapAttrs (_: e: e.expect) exampleArgs;
      run = builtins.mapAttrs (_: e: e.run or null) exampleArgs;
      notes = if mode == "plan" then builtins.mapAttrs (_: reason: " without a plan: ${reason}") withoutPlan else { };
    };

  vmtest = import ./vmtest.nix {
    inherit pkgs examples;
    inherit (dgd.internal) tools;
  };

  exampleIdentity = someIdentity { names = builtins.attrNames examples; };

  # Some examples, compared with those of `go build`.
  someIdentity =
    { names }:
    import ./identity.nix {
      inherit pkgs;
      name = "example-identity";
      packages = some names examples;
      reference = reference {
        name = "example-reference";
        programs = some names exampleArgs;
      };
    };

  # Programs built with package sets for other platforms.
  cross =
    let
      sets = import ./cross.nix {
        inherit pkgs;
        dgdFor = import ../lib;
      };
      call = dgd: if useDynDrv then dgd.buildWithDynDrv else dgd.buildWithIFD;
    in
    {
      arm64 = call sets.arm64 {
        src = ../examples/cross;
        env.CGO_ENABLED = "0";
      };
      # The caller's arguments take precedence.
      riscv64 = call sets.arm64 {
        src = ../examples/cross;
        env.GOARCH = "riscv64";
      };
      static = call sets.static { src = ../examples/cgo; };
    };

  byGo = import ./by-go.nix { inherit dgd pkgs useDynDrv; };

  programs = builtins.mapAttrs (_: build) programArgs;

  # A comparison for each published program, as their sizes differ much.
  programIdentity = builtins.mapAttrs (
    name: args:
    import ./identity.nix {
      inherit pkgs;
      name = "identity-${name}";
      packages.${name} = programs.${name};
      reference = reference {
        name = "reference-${name}";
        programs.${name} = args;
      };
    }
  ) programArgs;

  # Programs with their definitions in nixpkgs.
  nixpkgs = import ./nixpkgs.nix { inherit dgd pkgs useDynDrv; };
}
