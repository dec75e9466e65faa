# What a binary cache needs of a package, as one derivation that depends on it: `dgd cache` finds the rest from here.
# The output has a link to each stage, so that a root for it keeps the plan.
{ execute }:
args:
{
  package,
  stages, # derivations, by name: import from derivation leaves no trace of them in the package
}:
let
  units = [
    {
      name = "cacheable";
      steps = [ ];
      sources = map (name: {
        at = "\${out}/${name}";
        from = "\${${name}}";
      }) (builtins.attrNames linked);
    }
  ];
  linked = {
    result = package;
  }
  // stages;
in
execute args.inner {
  name = "cacheable";
  outputs = [ "out" ];
  spec = builtins.toJSON { inherit units; };
  vars = linked;
}
