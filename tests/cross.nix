# Package sets for other platforms, with the attributes that dgd uses: those of nixpkgs are too large for a test.
{ pkgs, dgdFor }:
let
  # As nixpkgs' pkgsCross: programs of the set do not run on this machine.
  setFor =
    hostPlatform: stdenv:
    pkgs
    // {
      go = throw "a toolchain that runs on the other platform";
      stdenvNoCC = throw "what makes programs for the other platform";
      stdenv = stdenv // {
        hostPlatform = pkgs.stdenv.hostPlatform // hostPlatform;
      };
    };

  # A C compiler with the name of a cross compiler, which links statically. There is no other compiler in PATH.
  prefix = "x86_64-unknown-linux-musl-";
  libc = pkgs.stdenv.cc.libc;
  static = if libc ? static then "-L${libc.static}/lib" else "";
  compiler = pkgs.stdenvNoCC.mkDerivation {
    name = "static-cc";
    buildCommand = ''
      mkdir -p $out/bin
      for name in gcc g++; do
        printf '#!%s\nexec %s/bin/%s -static ${static} "$@"\n' ${pkgs.bash}/bin/bash ${pkgs.stdenv.cc} "$name" > $out/bin/${prefix}$name
      done
      chmod +x $out/bin/*
    '';
  };

  sets = {
    arm64 = setFor {
      system = "aarch64-linux";
      config = "aarch64-unknown-linux-gnu";
      go = {
        GOOS = "linux";
        GOARCH = "arm64";
      };
    } pkgs.stdenv;

    # As nixpkgs' pkgsStatic.
    static =
      setFor
        {
          config = "x86_64-unknown-linux-musl";
        }
        (
          pkgs.stdenv
          // {
            mkDerivation =
              args:
              pkgs.stdenvNoCC.mkDerivation (
                args
                // {
                  nativeBuildInputs = args.nativeBuildInputs or [ ] ++ [ compiler ];
                  env = {
                    CC = "${prefix}gcc";
                    CXX = "${prefix}g++";
                  }
                  // args.env or { };
                }
              );
          }
        );
  };
in
builtins.mapAttrs (_: pkgs: dgdFor { inherit pkgs; }) sets
