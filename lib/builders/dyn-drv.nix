# The linked programs, by dynamic derivations: the output of the planner is itself a .drv file, which Nix then builds.
{
  planning,
  planner,
  tools,
  execute,
  system,
  storeAccess,
}:
args:
let
  contentAddressing = import ../content-addressing.nix;
  copiedTests = import ../stages/copied-tests.nix { inherit execute; };
  stages = planning {
    inherit args;
    attrs = contentAddressing;
    splitAttrs = storeAccess;
  };
  # A derivation whose output is a .drv file, named after the derivation in that file.
  toDrv =
    {
      command,
      config,
      attrs ? { },
    }:
    planner {
      name = "${config.name}.drv";
      inherit command;
      config = config // {
        inherit system;
        # The planner needs it for derivations that it writes itself.
        inner = config.inner // { inherit (args.inner) disallowedReferences; };
        executor = tools.dgd-exec;
      };
      attrs = storeAccess // contentAddressing // { outputHashMode = "text"; } // attrs;
    };
  # The part of the standard library that nearly every program uses.
  std = toDrv {
    command = "std";
    config = stages.stdConfig;
  };
  drv = toDrv {
    command = "bind";
    config = stages.bindConfig // {
      inherit (stages) inputs;
    };
  };
  testsDrv = toDrv {
    command = "bind";
    config = stages.testBindConfig // {
      inputs = stages.testInputs;
    };
  };
in
{
  program = builtins.outputOf drv.outPath "out";
  std = builtins.outputOf std.outPath "x";
  # A derivation that evaluation knows, unlike the one that builtins.outputOf refers to.
  tests.all = copiedTests args.inner {
    name = "tests";
    tests = builtins.outputOf testsDrv.outPath "out";
  };
  stages = {
    inherit (stages) plan;
    inherit drv;
  };
  testStages = {
    inherit (stages) testPlan;
    inherit testsDrv;
  };
  passthru = {
    inherit (stages) goModules plan;
    inherit drv;
    # With a lock this attribute is a list, for which evaluation builds the plan; without one it is a derivation.
    modules = if stages.locked or null == null then stages.linked else stages.linkedModules;
  };
}
