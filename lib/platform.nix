# The platforms of the package set as GOOS and GOARCH, and whether cgo is on for them.
{ pkgs }:
let
  inherit (pkgs.stdenv) buildPlatform hostPlatform;

  # For a package set whose platforms have no attribute `go`.
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
  target = env: host // builtins.intersectAttrs host env;
in
{
  # Whether the package set is for another platform than the one that its builds run on, as nixpkgs' pkgsCross are.
  isCross = hostPlatform.config or hostPlatform.system != buildPlatform.config or buildPlatform.system;

  # An environment with the package set's GOOS and GOARCH as defaults. If they are those of the machine that builds, they
  # are left out: they are the go command's own defaults.
  forHost =
    env:
    if host != build then
      host // env
    else if builtins.intersectAttrs build env == build then
      removeAttrs env (builtins.attrNames build)
    else
      env;

  # The GOOS and GOARCH that programs are built for in an environment.
  inherit target;

  # The directory of Go's tools, GOHOSTOS_GOHOSTARCH.
  tools = "${build.GOOS}_${build.GOARCH}";

  # Whether cgo is on in an environment. To Go, an empty CGO_ENABLED is the same as none: it would then look for a C
  # compiler in PATH, where the planner has none. So the default is on for the package set's own platform, for which it has
  # a C compiler, unless that is WebAssembly.
  hasCgo =
    env:
    let
      value = env.CGO_ENABLED or "";
    in
    if value == "" then target env == host && host.GOARCH != "wasm" else value == "1";
}
