# The library for one package set. Each file here is one function or stage; it gets what it names.
{
  pkgs,
  # Whether dynamic derivations use builder-rpc-v0 in place of recursive-nix; null: where Nix has it.
  builderRpc ? null,
  moduleOverrides ? { },
}:
let
  callFile = file: overrides: import file (builtins.intersectAttrs (builtins.functionArgs (import file)) (scope // overrides));
  # What runs here, where the package set is for another platform.
  native = {
    pkgs = if scope.platform.isCross then pkgs.buildPackages else pkgs;
  };
  scope = {
    inherit pkgs callFile builderRpc;
    system = pkgs.stdenv.buildPlatform.system;
    platform = callFile ./platform.nix { };
    tools = callFile ./tools.nix native;
    argumentTable = callFile ./arguments.nix native;
    arguments = callFile ./check-arguments.nix { };
    vendor = callFile ./vendor.nix native;
    fetch = callFile ./fetch.nix native;
    fetchModule = callFile ./fetch-module.nix { };
    moduleOverrides = import ./module-overrides.nix moduleOverrides;
    patchModules = callFile ./patch-modules.nix native;
    lockedModules = callFile ./locked-modules.nix { };
    cgoEnv = callFile ./cgo-env.nix { };
    planner = callFile ./planner.nix { };
    planning = callFile ./planning.nix { };
    execute = callFile ./execute.nix { };
    derive = callFile ./derive.nix { };
    ifd = callFile ./ifd.nix { };
    byPlan = callFile ./by-plan.nix { };
    nixLacks = callFile ./nix-lacks.nix { };
    storeAccess = callFile ./store-access.nix { };
    dynDrv = callFile ./dyn-drv.nix { };
    cacheable = callFile ./cacheable.nix { };
    package = callFile ./package.nix { };
    goModule = callFile ./go-module.nix { };
    # The same library for another package set, for the argument pkgs of the builders.
    libFor = pkgs: import ./. { inherit pkgs builderRpc moduleOverrides; };
  };
in
{
  buildWithIFD = callFile ./build-with-ifd.nix { };
  buildWithDynDrv = callFile ./build-with-dyn-drv.nix { };
  buildGoModule = callFile ./build-go-module.nix { inherit (native.pkgs) go; };
  fetchGoModule = callFile ./fetch-go-module.nix native;

  # For dgd's own tests and its bench.
  internal = {
    inherit (scope)
      arguments
      argumentTable
      cgoEnv
      vendor
      tools
      ;

    # The builders with arguments that only the stages know: see planning.nix.
    withMore =
      more:
      let
        arguments = function: given: scope.arguments function given // more;
      in
      {
        buildWithIFD = callFile ./build-with-ifd.nix { inherit arguments; };
        buildWithDynDrv = callFile ./build-with-dyn-drv.nix { inherit arguments; };
      };
  };
}
