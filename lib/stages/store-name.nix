# A valid name of a store path for any string, such as an import path or a module with its version: nar.Name of the planner.
s:
let
  dashed = builtins.concatStringsSep "" (
    map (part: if builtins.isString part then part else "-") (builtins.split "[^0-9A-Za-z+._?=-]" s)
  );
  over = builtins.stringLength dashed - 200;
  end = if over > 0 then builtins.substring over (-1) dashed else dashed;
  first = builtins.substring 0 1 end;
in
if first == "." || first == "-" then "_${builtins.substring 1 (-1) end}" else end
