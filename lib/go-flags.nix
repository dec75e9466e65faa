# The planner's table of the go command's flags and variables: what dgd does with each.
let
  table = builtins.fromJSON (builtins.readFile ../internal/goflags/flags.json);

  # The entry of build flags for a word of GOFLAGS, or null.
  entryOf =
    flag:
    let
      parts = builtins.match "['\"]?--?([^=]*)(=(.*))?" flag;
      entry = table.build.${builtins.head parts} or null;
    in
    if parts == null || entry == null then
      null
    else
      { name = builtins.head parts; } // entry.values.${toString (builtins.elemAt parts 2)} or entry;
in
{
  # The variables that the go command is given.
  variables = builtins.filter (name: table.environment.${name}.class == "carried out") (
    builtins.attrNames table.environment
  );

  # Whether a flag of `go test` does something else than run the tests of each package by itself.
  isOfAllTests =
    flag:
    let
      parts = builtins.match "--?(test[.])?([^=]*)(=.*)?" flag;
      name = builtins.elemAt parts 1;
      class = (table.test.${name} or table.build.${name} or { class = ""; }).class;
    in
    parts != null
    && (
      class == "built whole"
      || class == "error"
      || builtins.elem name [
        "n"
        "race"
        "work"
        "x"
      ]
    );

  # Of words of GOFLAGS, the entries of those that are an error.
  refused =
    flags: builtins.filter (e: e != null && e.class == "error") (map entryOf flags);
}
