# A small package set for machines without nixpkgs, under nixpkgs' names: programs and libraries from Debian
# packages, Go toolchains from the module proxy. with-nix makes it <nixpkgs>.
{
  system ? builtins.currentSystem,
  ...
}:

let
  debian = import ./debian { inherit system; };

  stdenvs = import ./stdenv { inherit system debian; };

  # As nixpkgs' toolchains do, they have attributes with the platform that they build for.
  toolchains =
    builtins.mapAttrs
      (
        _: go:
        go
        // {
          inherit (stdenvs.stdenv.hostPlatform.go) GOOS GOARCH;
          CGO_ENABLED = 1;
        }
      )
      (
        import ./go {
          inherit system;
          inherit (debian) bash coreutils cacert;
        }
      );

  pkgs = {
    inherit (debian)
      bash
      cacert
      coreutils
      gitMinimal
      pkg-config
      sqlite
      zlib
      ;
    inherit (stdenvs) stdenv stdenvNoCC;
    buildPackages = pkgs;
    go = toolchains.go_1_26;
    go_latest = toolchains.go_1_27;
  }
  // toolchains;

  names = builtins.filter (name: builtins.match ".*[?]" name == null) (
    map (path: builtins.head (builtins.split "[.]" path)) (import ../lib/nixpkgs-names.nix)
  );
  # As nixpkgs does for removed packages.
  removed.go_1_23 = throw "Go 1.23 is end-of-life and 'go_1_23' has been removed.";
in
assert builtins.attrNames pkgs == builtins.sort builtins.lessThan names;
pkgs // removed
