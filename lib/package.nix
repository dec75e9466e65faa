# The package that a user gets: the linked programs in bin/, as a derivation of its own.
{ execute }:
args:
{
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
execute {
  name = if args.name != null then args.name else "go-program";
  outputs = [ "out" ];
  spec = builtins.toJSON { units = [ unit ]; };
  vars.PROGRAM = program;
  inherit (args) go contentAddressed allowGoReference;
}
// passthru
// args.passthru
// {
  inherit (args) meta;
}
