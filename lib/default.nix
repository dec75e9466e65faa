# The library for one package set. Each file is one function or stage, and is called with those members of `scope` that
# its arguments name.
{
  pkgs,
  # Whether dynamic derivations use builder-rpc-v0 in place of recursive-nix. null: if the Nix that evaluates has it.
  builderRpc ? null,
  moduleOverrides ? { },
}:
let
  callFile = file: overrides: import file (builtins.intersectAttrs (builtins.functionArgs (import file)) (scope // overrides));
  # The package set whose programs run on the machine that builds.
  native = {
    pkgs = if scope.platform.isCross then pkgs.buildPackages else pkgs;
  };
  scope = {
    inherit pkgs callFile builderRpc;
    system = pkgs.stdenv.buildPlatform.system;
    platform = callFile ./platform.nix { };
    tools = callFile ./tools.nix native;
    argumentTable = callFile ./arguments.nix native;
    arguments = callFile ./builders/check-arguments.nix { };
    vendor = callFile ./fetch/vendor.nix native;
    fetch = callFile ./fetch/fetch.nix native;
    fetchModule = callFile ./fetch/fetch-module.nix { };
    moduleOverrides = import ./fetch/module-overrides.nix moduleOverrides;
    patchModules = callFile ./fetch/patch-modules.nix native;
    lockedModules = callFile ./fetch/locked-modules.nix { };
    cgoEnv = callFile ./stages/cgo-env.nix { };
    planner = callFile ./stages/planner.nix { };
    planning = callFile ./stages/planning.nix { };
    execute = callFile ./stages/execute.nix { };
    derive = callFile ./stages/derive.nix { };
    ifd = callFile ./builders/ifd.nix { };
    byPlan = callFile ./stages/by-plan.nix { };
    nixLacks = callFile ./nix-lacks.nix { };
    storeAccess = callFile ./store-access.nix { };
    dynDrv = callFile ./builders/dyn-drv.nix { };
    cacheable = callFile ./builders/cacheable.nix { };
    package = callFile ./builders/package.nix { };
    goModule = callFile ./builders/go-module.nix { };
    # The library for another package set: for the argument `pkgs` of the builders.
    libFor = pkgs: import ./. { inherit pkgs builderRpc moduleOverrides; };
  };
in
{
  buildWithIFD = callFile ./builders/build-with-ifd.nix { };
  buildWithDynDrv = callFile ./builders/build-with-dyn-drv.nix { };
  buildGoModule = callFile ./builders/build-go-module.nix { inherit (native.pkgs) go; };
  fetchGoModule = callFile ./fetch/fetch-go-module.nix native;

  # For dgd's own tests and its bench.
  internal = {
    inherit (scope)
      arguments
      argumentTable
      cgoEnv
      vendor
      tools
      ;

    # The builders with further arguments, unchecked, for the stages alone: see planning.nix.
    withMore =
      more:
      let
        arguments = function: given: scope.arguments function given // more;
      in
      {
        buildWithIFD = callFile ./builders/build-with-ifd.nix { inherit arguments; };
        buildWithDynDrv = callFile ./builders/build-with-dyn-drv.nix { inherit arguments; };
      };
  };
}
