# buildWithDynDrv: the planner's output is a .drv file, which Nix builds in turn. Evaluation builds nothing.
{
  pkgs,
  libFor,
  arguments,
  planning,
  planner,
  tools,
  system,
  package,
}:
given:
if given ? pkgs then
  (libFor given.pkgs).buildWithDynDrv (removeAttrs given [ "pkgs" ])
else if !(builtins ? outputOf) then
  throw "dgd.buildWithDynDrv: this Nix (${builtins.nixVersion}) has no dynamic derivations: use buildWithIFD, or a Nix of at least 2.34 with the experimental features dynamic-derivations, ca-derivations and recursive-nix"
else
  let
    args = arguments "buildWithDynDrv" given;
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
    program = builtins.outputOf drv.outPath "out";
  in
  package {
    inherit args program;
    passthru = {
      inherit (stages) goModules plan;
      inherit drv;
    };
  }
