# The contract with nixpkgs: every attribute of pkgs that this project uses, and why. A question mark is for one that is
# used where it is. pkgs/default.nix, the small set for machines without nixpkgs, has the others at its top, and nothing else.
[
  "bash" # shell of the few builders that are scripts, in bare derivations
  "buildGoModule?" # whether it still makes position-independent programs
  "buildPackages" # what runs on the builder, where the set is for another platform
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
