# The package that a user gets: the linked programs in bin/, as a derivation of its own.
{ execute, cacheable }:
args:
{
  program, # store path of the linked programs
  std ? null, # the part of the standard library that is compiled while the program is planned
  tests, # derivations that run tests, by import path, and `all`
  stages, # derivations that plan the program
  testStages, # and its tests
  passthru,
  check ? null, # fails where a plan in a file is not of these sources
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
  # Store paths that get into programs by a flag or by sources that were built are references of the package, as they
  # would be if it was one derivation.
  named =
    builtins.filter builtins.hasContext (args.ldflags ++ args.gcflags ++ builtins.attrValues args.env)
    ++ (
      if builtins.any (c: c ? outputs) (builtins.attrValues (builtins.getContext args.src)) then
        [ args.src ]
      else
        [ ]
    );
  # The path follows from the program's own, which says what is in it. So a program that comes out the same is the same
  # package, without the second copy that Nix makes of what is content-addressed.
  package = execute (args.inner // { contentAddressed = false; }) {
    name = if args.name != null then args.name else "go-program";
    outputs = [ "out" ];
    spec = builtins.toJSON { units = [ unit ]; };
    vars = {
      PROGRAM = program;
    }
    # Nothing of it gets into the output: the package depends on it and does not refer to it.
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
