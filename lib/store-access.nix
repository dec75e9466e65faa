# The attributes of a planner's derivation that give it access to the store: builder-rpc-v0 or recursive-nix, as the
# argument `builderRpc` says. The default is builder-rpc-v0 if the Nix that evaluates has it. An expression cannot see the
# system features of the machines that will build, but a Nix that has this one offers it by default.
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
  # With this feature a derivation gets no output path, and its output must be content-addressed.
  { requiredSystemFeatures = [ "builder-rpc-v0" ]; }
