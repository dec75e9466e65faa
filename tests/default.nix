# What the tests build, in the mode that useDynDrv chooses, with the toolchain `go`.
{
  dgd,
  pkgs,
  useDynDrv,
  go ? pkgs.go,
  plans ? null,
}:
let
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
    {
      src = dgd.fetchGoModule { inherit (p) module version hash; };
      inherit (p)
        vendorHash
        proxyVendor
        subPackage
        tags
        env
        ;
      inherit go;
    }
  ) (import ./programs.nix);
  build = if useDynDrv then dgd.buildWithDynDrv else dgd.buildWithIFD;
  # Some attributes of a set, in the form of one.
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
  examples = import ../examples {
    inherit
      dgd
      pkgs
      useDynDrv
      go
      plans
      ;
  };

  # The examples by plans in files: -A tests.withPlans.testExamples --arg plans ./DIR, which has NAME.plan
  withPlans =
    { plans }:
    import ./. {
      inherit
        dgd
        pkgs
        useDynDrv
        go
        plans
        ;
    };

  # What writes these plans, by example: a command in modRoot of src.
  planCommands = builtins.mapAttrs (name: e: {
    inherit (e) planCommand;
    src = "${exampleArgs.${name}.src}";
    modRoot = exampleArgs.${name}.modRoot or ".";
  }) examples;
  # Whether they are evaluated by their plans.
  arePlanned = builtins.mapAttrs (_: e: (builtins.tryEval e.drvPath).success) examples;

  # All this with another toolchain: -A tests.withGo --arg go '(import <nixpkgs> { }).go_1_24'
  withGo =
    { go }:
    import ./. {
      inherit
        dgd
        pkgs
        useDynDrv
        go
        ;
    };

  testExamples = someExamples { names = builtins.attrNames examples; };

  # Some of them: nix-build -A tests.someExamples --arg names '[ "hello" "cgo" ]'
  someExamples =
    { names }:
    import ./examples.nix {
      inherit pkgs;
      examples = some names examples;
      expect = builtins.mapAttrs (_: e: e.expect) exampleArgs;
      run = builtins.mapAttrs (_: e: e.run or null) exampleArgs;
    };

  vmtest = import ./vmtest.nix {
    inherit pkgs examples;
    inherit (dgd.internal) tools;
  };

  exampleIdentity = someIdentity { names = builtins.attrNames examples; };

  # Some examples, compared with what `go build` makes of them.
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

  # Programs of package sets for other platforms.
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
      # What the caller says wins.
      riscv64 = call sets.arm64 {
        src = ../examples/cross;
        env.GOARCH = "riscv64";
      };
      static = call sets.static { src = ../examples/cgo; };
    };

  byGo = import ./by-go.nix { inherit dgd pkgs useDynDrv; };

  programs = builtins.mapAttrs (_: build) programArgs;

  # For each published program a comparison of its own: they differ much in size.
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

  # Programs by their definitions in nixpkgs.
  nixpkgs = import ./nixpkgs.nix { inherit dgd pkgs useDynDrv; };
}
