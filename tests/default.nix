# What the tests build, in the mode that useDynDrv chooses.
{
  dgd,
  pkgs,
  useDynDrv,
}:
let
  exampleArgs = import ../examples/args.nix {
    inherit pkgs;
    inherit (dgd) fetchGoModule;
  };
  reference = import ./reference.nix {
    inherit pkgs;
    lib = dgd.internal;
  };
in
rec {
  examples = import ../examples { inherit dgd pkgs useDynDrv; };

  testExamples = import ./examples.nix {
    inherit pkgs examples;
    expect = builtins.mapAttrs (_: e: e.expect) exampleArgs;
  };

  exampleReference = reference {
    name = "example-reference";
    programs = exampleArgs;
  };

  exampleIdentity = import ./identity.nix {
    inherit pkgs;
    name = "example-identity";
    packages = examples;
    reference = exampleReference;
  };
}
