# The linked programs, by import from derivation: the planner's output is data that Nix reads while it evaluates.
{
  planning,
  planner,
  derive,
}:
args:
let
  stages = planning {
    inherit args;
    # Nix builds the skeleton here, and adds it anew: the path depends on the contents only. On a content-addressed
    # output that fails (Nix 2.34.8).
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
      # The trees that Nix takes from its output must not refer to modules: these are names here and no inputs.
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
  # The derivations that are built while Nix evaluates.
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
