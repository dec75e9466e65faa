# What it takes to work on dgd, for nix-shell and `nix develop`. Where there is no Nix, ./with-nix gives the same.
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
