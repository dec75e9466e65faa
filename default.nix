# dgd: Go programs as one derivation per package. The interface, and nothing else.
{
  pkgs ? import <nixpkgs> { },
  useDynDrv ? false,
}:
let
  dgd = import ./lib { inherit pkgs; };
  tests = import ./tests { inherit dgd pkgs useDynDrv; };
in
{
  inherit (dgd.internal.tools) dgd-plan;
  inherit (dgd)
    buildGoModule
    buildWithDynDrv
    buildWithIFD
    fetchGoModule
    ;
  inherit (tests) examples testExamples;
  inherit tests;
}
