# Checks the argument `moduleOverrides` of dgd, and returns it. By module paths (of replacements, where modules are
# replaced) it has another version with the hash of its tree, or patches, or both.
overrides:
let
  types = import ../types.nix;
  # An error message if an override is not valid, or null.
  fault =
    o:
    if
      !builtins.isAttrs o
      || removeAttrs o [
        "version"
        "hash"
        "patches"
      ] != { }
      || o == { }
    then
      "must have `version` with `hash`, or `patches`, and nothing else"
    else if o ? version != o ? hash then
      "has one of `version` and `hash` without the other: set hash = \"\" and Nix will report the correct hash"
    else if o ? version && !(types.string.check o.version && types.string.check o.hash) then
      "must have strings as `version` and `hash`"
    else if !types.list.check (o.patches or [ ]) then
      "must have a list as `patches`"
    else
      null;
  faults = builtins.filter (f: f.text != null) (
    map (path: {
      inherit path;
      text = fault overrides.${path};
    }) (builtins.attrNames overrides)
  );
in
if !builtins.isAttrs overrides then
  throw "dgd: `moduleOverrides` must be an attribute set, by module paths"
else if faults != [ ] then
  throw "dgd: `moduleOverrides.\"${(builtins.head faults).path}\"` ${(builtins.head faults).text}"
else
  overrides
