# The platform that a build runs on, in Go's words, and what follows from it.
{ system }:
let
  platforms = {
    x86_64-linux = {
      GOOS = "linux";
      GOARCH = "amd64";
    };
    aarch64-linux = {
      GOOS = "linux";
      GOARCH = "arm64";
    };
    x86_64-darwin = {
      GOOS = "darwin";
      GOARCH = "amd64";
    };
    aarch64-darwin = {
      GOOS = "darwin";
      GOARCH = "arm64";
    };
  };
  native = platforms.${system} or (throw "dgd: the system ${system} is not supported");
in
rec {
  # Whether an environment asks for another platform than the one that the build runs on.
  isCross = env: (env.GOOS or native.GOOS) != native.GOOS || (env.GOARCH or native.GOARCH) != native.GOARCH;

  # Whether cgo is on; an empty variable is as good as none to Go. Go would look for a C compiler in PATH; a planner has
  # none there.
  hasCgo =
    env:
    let
      said = env.CGO_ENABLED or "";
    in
    if said == "" then !(isCross env) else said == "1";
}
