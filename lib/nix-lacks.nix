# Says, as a text or null, which experimental features or version this Nix lacks for a feature of dgd.
{
  nixVersion ? builtins.nixVersion,
  hasOutputOf ? builtins ? outputOf,
  builderRpc ? null,
}:
let
  # Without dynamic derivations Nix does not tell whether it has builder-rpc-v0, but by its version.
  recursiveNix = if builderRpc == null then builtins.compareVersions nixVersion "2.36pre" < 0 else !builderRpc;
  switches =
    if recursiveNix then
      "the experimental features dynamic-derivations, ca-derivations and recursive-nix"
    else
      "the experimental features dynamic-derivations and ca-derivations";
in
{
  # Before 2.30 Nix knows dynamic derivations in part, and fails when it builds them.
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
