# The examples, each built: `dgd` is what ../default.nix returns, args.nix says with which arguments.
{
  dgd,
  pkgs ? import <nixpkgs> { },
  useDynDrv ? false,
  go ? pkgs.go,
}:
let
  build = if useDynDrv then dgd.buildWithDynDrv else dgd.buildWithIFD;
  examples = import ./args.nix {
    inherit pkgs;
    inherit (dgd) fetchGoModule;
  };
in
builtins.mapAttrs (
  _: example:
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
  )
) examples
