# What dgd does with each flag and variable of the go command, by the planner's table internal/goflags/flags.json.
let
  table = builtins.fromJSON (builtins.readFile ../internal/goflags/flags.json);

  # The table's entry for a word of GOFLAGS with the flag's name, or null if the table does not have the flag.
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
  # The names of the variables that dgd gives to the go command.
  variables = builtins.filter (name: table.environment.${name}.class == "carried out") (
    builtins.attrNames table.environment
  );

  # Whether a flag of `go test` concerns all tests together, so that they cannot run package by package.
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

  # The entries of those words of GOFLAGS that are an error.
  refused = flags: builtins.filter (e: e != null && e.class == "error") (map entryOf flags);
}
