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
    if specFile == null then
      {
        inherit spec;
        passAsFile = [
          "spec"
          "vars"
        ];
      }
    else
      {
        specPath = specFile;
        passAsFile = [ "vars" ];
      }
  )
  // (if inner.disallowedReferences == [ ] then { } else { inherit (inner) disallowedReferences; })
  // (if inner.contentAddressed then import ../content-addressing.nix else { })
)
