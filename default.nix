# dgd: Go programs as one derivation per package. The interface, and nothing else.
{
  pkgs ? import <nixpkgs> { },
  useDynDrv ? false,
}:
let
  dgd = import ./lib { inherit pkgs; };
  examples = import ./examples { inherit dgd useDynDrv pkgs; };
in
{
  inherit (dgd) buildWithDynDrv buildWithIFD fetchGoModule;
  inherit examples;
  testExamples = import ./tests/examples.nix { inherit examples pkgs; };
}
