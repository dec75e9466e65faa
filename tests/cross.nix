# Package sets for other platforms, as far as dgd looks at them: nixpkgs' own are too large for a test.
{ pkgs, dgdFor }:
let
  # As pkgsCross: what is there for the other platform does not run here.
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

  # A C compiler under the name that a cross compiler has, which links statically. No other one is in its PATH.
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

    # As pkgsStatic.
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
