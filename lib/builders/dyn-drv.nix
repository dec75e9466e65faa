# The linked programs, by dynamic derivations: the planner's output is a .drv file, which Nix builds in turn.
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
  stages = planning {
    inherit args;
    attrs = contentAddressing;
    splitAttrs = storeAccess;
  };
  bind =
    config: inputs:
    planner {
      # The last derivation's name is this one's without the suffix.
      name = "${config.name}.drv";
      command = "bind";
      config = config // {
        inherit system inputs;
        # Only here does the planner write derivations itself.
        inner = config.inner // { inherit (args.inner) disallowedReferences; };
        executor = tools.dgd-exec;
      };
      attrs = storeAccess // contentAddressing // { outputHashMode = "text"; };
    };
  drv = bind stages.bindConfig stages.inputs;
  testsDrv = bind stages.testBindConfig stages.testInputs;
in
{
  program = builtins.outputOf drv.outPath "out";
  # A derivation at evaluation, as the package is one.
  tests.all = execute args.inner {
    name = "tests";
    outputs = [ "out" ];
    spec = builtins.toJSON {
      units = [
        {
          name = "tests";
          vars = { };
          steps = [
            {
              copy = {
                from = "\${TESTS}";
                to = "\${out}";
              };
            }
          ];
        }
      ];
    };
    vars.TESTS = builtins.outputOf testsDrv.outPath "out";
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
    # Evaluation builds nothing, unless somebody asks for what only a plan can tell.
    modules = if stages.locked or null == null then stages.linked else stages.linkedModules;
  };
}
