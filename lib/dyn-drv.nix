# The linked programs, by dynamic derivations: the planner's output is a .drv file, which Nix builds in turn.
{
  planning,
  planner,
  tools,
  system,
}:
args:
let
  contentAddressing = import ./content-addressing.nix;
  recursive = {
    requiredSystemFeatures = [ "recursive-nix" ];
  };
  stages = planning {
    inherit args;
    attrs = contentAddressing;
    splitAttrs = recursive;
  };
  drv = planner {
    # The last derivation's name is this one's without the suffix.
    name = "${stages.bindConfig.name}.drv";
    command = "bind";
    config = stages.bindConfig // {
      inherit system;
      inherit (stages) inputs;
      executor = tools.dgd-exec;
    };
    attrs = recursive // contentAddressing // { outputHashMode = "text"; };
  };
in
{
  program = builtins.outputOf drv.outPath "out";
  passthru = {
    inherit (stages) goModules plan;
    inherit drv;
  };
}
