# The programs that work on dgd needs, for nix-shell and `nix develop`. On machines without Nix, ./with-nix provides them.
{
  pkgs ? import <nixpkgs> { },
}:
pkgs.stdenv.mkDerivation {
  name = "dgd-shell";
  nativeBuildInputs = [
    pkgs.gitMinimal
    pkgs.go
    pkgs.pkg-config
  ];
  buildCommand = "echo 'this is for nix-shell' >&2; exit 1";
}
