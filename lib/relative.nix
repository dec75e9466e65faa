# A relative path in its shortest form: "./a//b/" is "a/b", and "./" is ".".
path:
let
  elements = builtins.filter (e: builtins.isString e && e != "" && e != ".") (builtins.split "/" path);
in
if elements == [ ] then "." else builtins.concatStringsSep "/" elements
