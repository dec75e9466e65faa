# A derivation that the executor builds: `spec` says what it carries out, `vars` is all that it refers to (see
# internal/action). The planner writes the same derivation in dynamic mode (see internal/drvgen).
{ system, tools }:
{
  name,
  outputs,
  spec,
  vars,
  go, # the toolchain
  allowGoReference, # whether an output may refer to it
  contentAddressed,
}:
derivation (
  {
    inherit
      name
      system
      outputs
      spec
      ;
    builder = "${tools.dgd-exec}/bin/dgd-exec";
    vars = builtins.toJSON vars;
    passAsFile = [
      "spec"
      "vars"
    ];
  }
  // (if allowGoReference then { } else { disallowedReferences = [ go ]; })
  // (if contentAddressed then import ./content-addressing.nix else { })
)
