# The package that a user gets: the linked programs in bin/, as a derivation of its own.
{ system, tools }:
{
  args,
  program, # store path of the linked programs
  passthru,
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
in
derivation (
  {
    name = if args.name != null then args.name else "go-program";
    inherit system;
    builder = "${tools.dgd-exec}/bin/dgd-exec";
    outputs = [ "out" ];
    spec = builtins.toJSON { units = [ unit ]; };
    vars = builtins.toJSON { PROGRAM = program; };
    passAsFile = [
      "spec"
      "vars"
    ];
    disallowedReferences = [ args.go ];
  }
  // (
    if args.contentAddressed then
      {
        __contentAddressed = true;
        outputHashAlgo = "sha256";
        outputHashMode = "recursive";
      }
    else
      { }
  )
)
// passthru
// args.passthru
// {
  inherit (args) meta;
}
