# The interface of dgd, which builds Go programs as Nix derivations of single packages or small groups of packages. See
# docs/api.md.
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
  # dgd with other arguments, if it comes from an overlay or a flake.
  override = changes: import ./. ({ inherit pkgs useDynDrv builderRpc moduleOverrides; } // changes);
  # dgd with other overrides of modules, if it comes from an overlay or a flake.
  withModuleOverrides = moduleOverrides: import ./. { inherit pkgs useDynDrv builderRpc moduleOverrides; };
  inherit (tests) examples testExamples vmtest;
  inherit tests;
}
