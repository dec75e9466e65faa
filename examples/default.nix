# The examples, built with the arguments of args.nix. `dgd` is the library, see ../default.nix.
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
