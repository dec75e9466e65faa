# What the bench builds: a program in all modes, the same by one derivation that runs `go build` whole, and what all of
# these need beforehand.
{
  src,
  vendorHash ? null,
  subPackage ? ".",
  env ? { },
  tags ? [ ],
  ldflags ? [ ],
  contentAddressed ? builtins ? outputOf,
  planned ? "", # the source with a vendor directory and dgd.plan
}:
let
  pkgs = import <nixpkgs> { };
  lib = import ../lib { inherit pkgs; };
  args = {
    inherit
      src
      vendorHash
      subPackage
      env
      tags
      ldflags
      ;
  };
in
rec {
  ifd = lib.buildWithIFD (args // { inherit contentAddressed; });
  dyn = lib.buildWithDynDrv (args // { inherit contentAddressed; });

  plan = lib.buildWithIFD (
    args
    // {
      inherit contentAddressed;
      src = /. + planned;
      vendorHash = null;
      plan = /. + "${planned}/dgd.plan";
    }
  );

  # The tests of all packages.
  tests =
    builtins.mapAttrs
      (
        _: build:
        (build (
          args
          // {
            inherit contentAddressed;
            testPackages = [ "./..." ];
          }
        )).tests.all
      )
      {
        ifd = lib.buildWithIFD;
        dyn = lib.buildWithDynDrv;
      };

  single = import ../tests/reference.nix {
    inherit pkgs;
    lib = lib.internal;
  } { name = "single"; programs.program = args; };

  goModules = if ifd.goModules == null then "" else ifd.goModules;
  inherit (lib.internal.tools) dgd dgd-plan dgd-exec;
  inherit (pkgs) go;

  # What a C compiler sees in the derivations of packages.
  cgoEnv = lib.internal.cgoEnv {
    inherit env;
    buildInputs = [ ];
    nativeBuildInputs = [ ];
  };

  # One path that refers to everything that is there before a measurement begins. Its environment names it all.
  prepared = pkgs.stdenv.mkDerivation {
    name = "bench-prepared";
    nativeBuildInputs = [ go ];
    inherit goModules dgd-plan dgd-exec;
    inherit (pkgs) stdenvNoCC cacert;
    buildCommand = "export -p > $out";
  };

  trivial = derivation {
    name = "trivial";
    system = pkgs.stdenv.buildPlatform.system;
    builder = "/bin/sh";
    args = [
      "-c"
      "echo trivial > $out"
    ];
  };
}
