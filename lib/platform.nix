# The platforms of the package set in Go's words, and what follows from them.
{ pkgs }:
let
  inherit (pkgs.stdenv) buildPlatform hostPlatform;

  # For a nixpkgs that does not say it itself.
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
  inGo =
    platform:
    let
      go =
        platform.go or platforms.${platform.system}
          or (throw "dgd: the system ${platform.system} is not supported");
    in
    {
      inherit (go) GOOS GOARCH;
    };
  build = inGo buildPlatform;
  host = inGo hostPlatform;
in
{
  # Whether the package set is for another platform than the one that its builds run on, as nixpkgs' pkgsCross are.
  isCross = hostPlatform.config or hostPlatform.system != buildPlatform.config or buildPlatform.system;

  # An environment with the GOOS and GOARCH of the platform, but without those of the machine that builds: Go builds for
  # that anyway.
  forHost =
    env:
    if host != build then
      host // env
    else if builtins.intersectAttrs build env == build then
      removeAttrs env (builtins.attrNames build)
    else
      env;

  # The platform that programs are for, with that environment.
  target = env: host // builtins.intersectAttrs host env;

  # The directory of the tools of Go, which run where things are built.
  tools = "${build.GOOS}_${build.GOARCH}";

  # Whether cgo is on; an empty variable is as good as none to Go. Go would look for a C compiler in PATH; a planner has
  # none there. The package set has one for its own platform, where that has C.
  hasCgo =
    env:
    let
      said = env.CGO_ENABLED or "";
      target = host // builtins.intersectAttrs host env;
    in
    if said == "" then target == host && host.GOARCH != "wasm" else said == "1";
}
