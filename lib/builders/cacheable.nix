# A derivation that depends on all that a binary cache needs of a package: `dgd cache` takes its .drv path. The output has
# a symlink to the package and to each stage, so that a garbage collector root for it keeps the plan, too.
{ execute }:
args:
{
  package,
  stages, # the derivations that planned it, by name: with import from derivation the package does not refer to them
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
