# The result of buildWithIFD and buildWithDynDrv: a derivation with the linked programs in bin/, and its attributes.
{ execute, cacheable }:
args:
{
  program, # the store path of the linked programs
  std ? null, # the part of the standard library that is compiled while the program is planned
  tests, # the derivations that run tests, by import path, and `all`
  stages, # the derivations that plan the program
  testStages, # those that plan its tests
  passthru,
  check ? null, # a derivation that fails if the plan in a file is not the plan of the sources
}:
let
  unit = {
    name = "install";
    vars = { };
    steps = [
      {
        copy = {
          from = "\${PROGRAM}";
          to = "\${out}";
          tree = true;
        };
      }
    ];
  };
  # Store paths that flags, variables or built sources can bring into programs. The package depends on them, so that it can
  # refer to them as the result of one derivation would.
  named =
    builtins.filter builtins.hasContext (args.ldflags ++ args.gcflags ++ builtins.attrValues args.env)
    ++ (
      if builtins.any (c: c ? outputs) (builtins.attrValues (builtins.getContext args.src)) then
        [ args.src ]
      else
        [ ]
    );
  # Input-addressed: with a content-addressed program among the inputs, equal programs give equal packages anyway, without
  # the additional copy that Nix makes of a content-addressed output.
  package = execute (args.inner // { contentAddressed = false; }) {
    name = if args.name != null then args.name else "go-program";
    outputs = [ "out" ];
    spec = builtins.toJSON { units = [ unit ]; };
    vars = {
      PROGRAM = program;
    }
    # The package depends on these, but its output does not refer to them.
    // (if std != null then { STD = std; } else { })
    // (if args.doCheck then { TESTS = tests.all; } else { })
    // (if check != null then { PLAN = check; } else { })
    // (if named == [ ] then { } else { NAMED = builtins.concatStringsSep " " named; });
  };
in
package
// {
  cacheable = cacheable args {
    inherit package;
    stages = stages // (if args.doCheck then testStages else { });
  };
}
// passthru
// args.passthru
// {
  inherit (args) meta;
  tests = tests // (args.passthru.tests or { });
}
