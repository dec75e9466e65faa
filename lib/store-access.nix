# The attributes by which a planner's derivation gets a way to the store. A Nix expression cannot see which system
# features the machines have that will build, so builder-rpc-v0 is asked for only where the library was told to.
{
  builderRpc,
  nixVersion ? builtins.nixVersion,
}:
if !builderRpc then
  { requiredSystemFeatures = [ "recursive-nix" ]; }
else if builtins.compareVersions nixVersion "2.36pre" < 0 then
  throw "dgd: `builderRpc` needs a Nix with the system feature builder-rpc-v0, which came after 2.35: this is ${nixVersion}; leave the argument out"
else
  # The derivation gets no output path then. Its output must be content-addressed.
  { requiredSystemFeatures = [ "builder-rpc-v0" ]; }
