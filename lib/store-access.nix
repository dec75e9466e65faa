# The attributes by which a planner's derivation gets a way to the store: what the argument `builderRpc` says, else
# builder-rpc-v0 where the Nix that evaluates has it. An expression cannot see which
# system features the machines have that will build; a Nix that has this one offers it by itself.
{
  builderRpc ? null,
  hasBuilderRpc ? import ./has-builder-rpc.nix,
  nixVersion ? builtins.nixVersion,
}:
if builderRpc == false || builderRpc == null && !hasBuilderRpc then
  { requiredSystemFeatures = [ "recursive-nix" ]; }
else if !hasBuilderRpc then
  throw "dgd: `builderRpc` needs a Nix with the system feature builder-rpc-v0, which came after 2.35: this is ${nixVersion}; leave the argument out"
else
  # The derivation gets no output path then. Its output must be content-addressed.
  { requiredSystemFeatures = [ "builder-rpc-v0" ]; }
