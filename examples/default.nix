# The examples, each built: `dgd` is what ../default.nix returns, args.nix says with which arguments.
{
  dgd,
  pkgs ? import <nixpkgs> { },
  useDynDrv ? false,
  go ? pkgs.go,
  # A directory with plans, NAME.plan: those examples that have one, built by it.
  plans ? null,
}:
let
  build = if useDynDrv then dgd.buildWithDynDrv else dgd.buildWithIFD;
  examples = import ./args.nix {
    inherit pkgs;
    inherit (dgd) fetchGoModule;
  };
  planned =
    if plans == null then
      examples
    else
      removeAttrs examples (
        builtins.filter (name: !builtins.pathExists (plans + "/${name}.plan")) (builtins.attrNames examples)
      );
in
builtins.mapAttrs (
  name: example:
  build (
    removeAttrs example [
      "expect"
      "run"
      "namesPlace"
      "reference"
    ]
    // {
      inherit go;
    }
    // (if plans == null then { } else { plan = plans + "/${name}.plan"; })
  )
) planned
