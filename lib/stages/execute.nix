# A derivation whose builder is the executor. `spec` has the steps (see internal/action), and `vars` all store paths that
# these refer to. In dynamic mode the planner writes the same derivation (see internal/drvgen).
{ system, tools }:
inner: # see inner.nix
{
  name,
  outputs,
  spec ? null,
  specFile ? null, # a file in the store with the spec, in place of `spec`
  vars,
}:
let
  # Nix 2.34 keeps a copy of a derivation's text for each of its outputs: a spec that would be long in all of them is a
  # file, as drvgen.Encode writes it.
  isLong = builtins.stringLength spec * builtins.length outputs > 512 * 1024;
  file =
    if specFile != null then
      specFile
    else if isLong then
      builtins.toFile "${name}-spec" (builtins.unsafeDiscardStringContext spec)
    else
      null;
in
derivation (
  {
    inherit
      name
      system
      outputs
      ;
    builder = "${tools.dgd-exec}/bin/dgd-exec";
    vars = builtins.toJSON vars;
  }
  // (
    if file == null then
      {
        inherit spec;
        passAsFile = [
          "spec"
          "vars"
        ];
      }
    else
      {
        specPath = file;
        passAsFile = [ "vars" ];
      }
  )
  // (if inner.disallowedReferences == [ ] then { } else { inherit (inner) disallowedReferences; })
  // (if inner.contentAddressed then import ../content-addressing.nix else { })
)
