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
  bound = planner {
    name = "derivations";
    command = "bind";
    config = stages.bindConfig;
  };
  program = derive {
    inherit bound;
    inherit (stages) modules modulesDir inputs;
    inherit (args) contentAddressed allowGoReference;
  };
in
{
  inherit program;
  passthru = {
    inherit (stages) goModules plan;
    inherit program bound;
  };
}
