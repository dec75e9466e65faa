# A derivation that the executor builds: `spec` says what it carries out, `vars` is all that it refers to (see
# internal/action). The planner writes the same derivation in dynamic mode (see internal/drvgen).
{ system, tools }:
inner: # see inner.nix
{
  name,
  outputs,
  spec ? null,
  specFile ? null, # a file in the store that has the spec, in place of it
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
