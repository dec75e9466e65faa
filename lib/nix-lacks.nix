# For features of dgd, an error message if the Nix that evaluates lacks the version or the experimental features that they
# need, or null.
{
  nixVersion ? builtins.nixVersion,
  hasOutputOf ? builtins ? outputOf,
  builderRpc ? null,
}:
let
  # Without dynamic derivations only the version tells whether Nix has builder-rpc-v0.
  recursiveNix = if builderRpc == null then builtins.compareVersions nixVersion "2.36pre" < 0 else !builderRpc;
  switches =
    if recursiveNix then
      "the experimental features dynamic-derivations, ca-derivations and recursive-nix"
    else
      "the experimental features dynamic-derivations and ca-derivations";
in
{
  # Versions before 2.30 evaluate dynamic derivations, but fail to build them.
  dynDrv =
    if builtins.compareVersions nixVersion "2.30pre" < 0 then
      "this Nix (${nixVersion}) cannot build dynamic derivations: use import from derivation, or a Nix of at least 2.30 with ${switches}"
    else if !hasOutputOf then
      "this Nix (${nixVersion}) has no dynamic derivations switched on: use import from derivation, or switch on ${switches}"
    else
      null;

  contentAddressed =
    if !hasOutputOf then
      "needs a Nix with the experimental features ca-derivations and dynamic-derivations switched on: this is ${nixVersion} without them"
    else
      null;
}
