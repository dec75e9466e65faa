# The attributes of pkgs that this project uses, and what for. A question mark follows the name of one that is optional.
# pkgs/default.nix, the small package set for machines without nixpkgs, has exactly the others.
[
  "bash" # shell of the few builders that are scripts, in bare derivations
  "buildGoModule?" # tells whether programs are position-independent by default
  "buildPackages" # programs that run on the machine that builds, in a set for another platform
  "cacert" # certificates for fixed-output derivations that fetch modules
  "coreutils" # cp, mkdir and the like for those builders
  "gitMinimal" # for fixed-output derivations that fetch modules straight from their repositories
  "go" # the toolchain where the user names none
  "go_1_24" # the Go versions that are supported, for the tests of each
  "go_1_25"
  "go_1_26"
  "go_1_27"
  "go_latest" # for users who copy an example of the documentation
  "pkg-config" # answers cgo's #cgo pkg-config lines
  "sqlite" # a C library with headers, for examples and tests
  "stdenv" # mkDerivation for wrapped packages, cc for cgo, hostPlatform.system
  "stdenvNoCC" # mkDerivation for what compiles no C
  "zlib" # a C library with headers, for examples and tests
]
