# The linked programs, by import from derivation: the output of the planner is data, which Nix reads while it evaluates.
{
  planning,
  planner,
  derive,
}:
args:
let
  stages = planning {
    inherit args;
    # builtins.path builds the derivation and adds its output to the store again, under a path that depends on the contents
    # alone. This fails for a content-addressed output (Nix 2.34.8).
    settle =
      drv:
      builtins.path {
        inherit (drv) name;
        path = "${drv}";
      };
  };
  bind =
    name: config:
    planner {
      inherit name;
      command = "bind";
      # builtins.path gives a tree of this derivation's output all references of the output. So the modules of the lock
      # must be no inputs: the planner gets their paths as mere names.
      config = config // {
        locked = map (m: m // { tree = builtins.unsafeDiscardStringContext "${m.tree}"; }) config.locked;
      };
    };
  realize =
    bound: inputs:
    derive {
      inherit bound inputs;
      inherit (stages) modules modulesDir locked;
      inherit (args) inner;
    };
  bound = bind "derivations" stages.bindConfig;
  realized = realize bound stages.inputs;
  program = realized.last;
  testsBound = bind "test-derivations" stages.testBindConfig;
  checked = realize testsBound stages.testInputs;
in
{
  inherit program;
  inherit (realized) std;
  tests = checked.tests // {
    all = checked.last;
  };
  # The derivations that evaluation builds.
  stages = {
    inherit (stages)
      skeleton
      plan
      stdPlan
      ;
    inherit bound;
  }
  // (if stages.locked == null then { inherit (stages) modules; } else { });
  testStages = {
    inherit (stages) testSkeleton testPlan;
    inherit testsBound;
  };
  passthru = {
    inherit (stages) goModules plan;
    inherit program bound;
    modules = stages.linkedModules;
  };
}
