# A small package set for machines without nixpkgs, under nixpkgs' names: programs and libraries from Debian
# packages, Go toolchains from the module proxy. with-nix makes it <nixpkgs>.
{
  system ? builtins.currentSystem,
  ...
}:

let
  debian = import ./debian { inherit system; };

  toolchains = import ./go {
    inherit system;
    inherit (debian) bash coreutils cacert;
  };

  stdenvs = import ./stdenv { inherit system debian; };

  pkgs = {
    inherit (debian)
      bash
      cacert
      coreutils
      git
      pkg-config
      sqlite
      zlib
      ;
    inherit (stdenvs) stdenv stdenvNoCC;
    buildPackages = pkgs;
    go = toolchains.go_1_26;
  }
  // toolchains;

  names = map (path: builtins.head (builtins.split "[.]" path)) (import ../lib/nixpkgs-names.nix);
in
assert builtins.attrNames pkgs == builtins.sort builtins.lessThan names;
pkgs
