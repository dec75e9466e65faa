# A small stdenv: the part of nixpkgs' mkDerivation that this project and packages of its users need.
{ system, debian }:

let
  inherit (debian) bash;

  arch = builtins.head (builtins.split "-" system);

  platform = {
    inherit system;
    config = "${arch}-unknown-linux-gnu";
    isLinux = true;
    isDarwin = false;
    isWindows = false;
    isStatic = false;
    isMusl = false;
    isx86_64 = arch == "x86_64";
    isAarch64 = arch == "aarch64";
    canExecute = other: other.system == system;
    extensions = {
      executable = "";
      sharedLibrary = ".so";
    };
    go = {
      GOOS = "linux";
      GOARCH =
        {
          x86_64 = "amd64";
          aarch64 = "arm64";
        }
        .${arch} or arch;
    };
  };

  make =
    name: initialPath:
    let
      # A directory with the file `setup`, for builders that source $stdenv/setup.
      stdenv = derivation {
        inherit name system initialPath;
        builder = "${bash}/bin/bash";
        args = [ ./make.sh ];
        setup = ./setup.sh;
        shell = "${bash}/bin/bash";
        PATH = "${debian.coreutils}/bin";
      };
    in
    stdenv
    // rec {
      mkDerivation = import ./make-derivation.nix {
        inherit system stdenv bash;
        inherit (debian.cc) defaultHardeningFlags;
      };
      shell = "${bash}/bin/bash";
      hostPlatform = platform;
      buildPlatform = platform;
      targetPlatform = platform;
      inherit (platform)
        isLinux
        isDarwin
        isx86_64
        isAarch64
        ;
      hasCC = cc != null;
      cc = null;
    };

  tools = [
    debian.coreutils
    debian.tools
    debian.bash
    debian.patchelf
  ];
in
{
  stdenvNoCC = make "stdenv-no-cc" tools;
  stdenv = make "stdenv" (tools ++ [ debian.cc ]) // {
    inherit (debian) cc;
    hasCC = true;
  };
}
