# buildWithIFD: the planner's output is data that Nix imports. Stock Nix.
{
  pkgs,
  libFor,
  arguments,
  planning,
  planner,
  derive,
  package,
}:
given:
if given ? pkgs then
  (libFor given.pkgs).buildWithIFD (removeAttrs given [ "pkgs" ])
else
  let
    args = arguments "buildWithIFD" given;
    stages = planning {
      inherit args;
      # Nix builds the skeleton here, and adds it anew: the path depends on the contents only. On a content-addressed
      # output that fails (Nix 2.34.8).
      settle =
        skeleton:
        builtins.path {
          name = "skeleton";
          path = "${skeleton}";
        };
    };
    bound = planner {
      name = "derivations";
      command = "bind";
      config = stages.bindConfig;
    };
    program = derive {
      inherit bound;
      inherit (stages) modules vendorDir inputs;
      inherit (args) contentAddressed;
    };
  in
  package {
    inherit args program;
    passthru = {
      inherit (stages) goModules plan;
      inherit program bound;
    };
  }
