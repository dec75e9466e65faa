# dgd: Go programs as derivations of single packages, or of few. The interface, and nothing else.
{
  pkgs ? import <nixpkgs> { },
  useDynDrv ? false,
  builderRpc ? null,
  moduleOverrides ? { },
  mode ? if useDynDrv then "dyn" else "ifd",
}:
let
  dgd = import ./lib { inherit pkgs builderRpc moduleOverrides; };
  tests = import ./tests { inherit dgd pkgs mode; };
in
{
  inherit (dgd.internal.tools) dgd;
  inherit (dgd)
    buildGoModule
    buildWithDynDrv
    buildWithIFD
    fetchGoModule
    ;
  # The same library with other arguments, for callers who got dgd from an overlay or a flake.
  override = changes: import ./. ({ inherit pkgs useDynDrv builderRpc moduleOverrides; } // changes);
  # The same library with other overrides, for callers who got dgd from an overlay or a flake.
  withModuleOverrides = moduleOverrides: import ./. { inherit pkgs useDynDrv builderRpc moduleOverrides; };
  inherit (tests) examples testExamples vmtest;
  inherit tests;
}
