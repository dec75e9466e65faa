# Reads a dgd.plan: the text of internal/planfile, line by line. Nothing is built for it.
{
  fail,
  file,
}:
let
  inherit (builtins) elemAt substring stringLength;
  strings = builtins.filter builtins.isString;
  splitOn = separator: text: strings (builtins.split separator text);
  name = toString file;

  text = builtins.readFile file;
  all = splitOn "\n" text;
  count = builtins.length all - 1;
  damaged = i: "${name}:${toString (i + 1)}: the line is damaged, or was edited by hand: run `dgd plan`";

  # The lines without their sums, each with its number.
  checked = builtins.genList (
    i:
    let
      line = elemAt all i;
      end = stringLength line - 6;
      body = substring 0 end line;
    in
    if end < 0 || substring end 6 line != " #${substring 0 4 (builtins.hashString "sha256" body)}" then
      fail (damaged i)
    else
      body
  ) count;
  version = builtins.match "dgd[.]plan ([0-9]+) .*" (elemAt checked 0);

  lines = if !builtins.pathExists file then
      fail "`plan` names ${name}, which does not exist: run `dgd plan` beside go.mod, or beside go.work"
    else if count < 1 || elemAt all count != "" then
      fail "${name} is damaged: it does not end in a whole line; run `dgd plan`"
    else if version == null then
      fail "${name}:1: this is no plan of dgd: run `dgd plan`"
    else if version != [ "1" ] then
      fail "${name} has format version ${builtins.head version}, and this dgd knows 1: run `dgd plan` of this dgd"
    else
      builtins.tail checked;

  # By what they are about: lists of lines as lists of fields.
  kindOf = line: builtins.head (builtins.match "([a-z]*) .*" (substring 0 9 line + " "));
  byKind = builtins.groupBy kindOf lines;
  fields = kind: map (splitOn " ") (byKind.${kind} or [ ]);

  # A field, and a list in one.
  unescape =
    s:
    if builtins.match "[^%]*" s != null then
      s
    else
      builtins.replaceStrings
        [
          "%20"
          "%2C"
          "%0A"
          "%0D"
          "%09"
          "%3D"
          "%25"
        ]
        [
          " "
          ","
          "\n"
          "\r"
          "\t"
          "="
          "%"
        ]
        s;
  listOf = s: if s == "-" then [ ] else map unescape (splitOn "," s);
  # The names of nodes stay as they are written.
  keysOf = s: if s == "-" then [ ] else splitOn "," s;

  # What stands behind the first two words of a line: JSON, which may have spaces.
  jsonLines =
    kind:
    builtins.listToAttrs (
      map (
        line:
        let
          words = builtins.match "[a-z]+ ([^ ]+) (.*)" line;
        in
        {
          name = elemAt words 0;
          value = elemAt words 1;
        }
      ) (byKind.${kind} or [ ])
    );

  named = value: list: builtins.listToAttrs (map (f: { name = elemAt f 1; value = value f; }) list);
  options =
    f: from:
    builtins.listToAttrs (
      builtins.genList (
        i:
        let
          word = elemAt f (from + i);
        in
        {
          name = substring 0 1 word;
          value = unescape (substring 2 (-1) word);
        }
      ) (builtins.length f - from)
    );
in
{
  settings = jsonLines "set";
  templates = jsonLines "template";
  parts = builtins.mapAttrs (
    _: rest:
    let
      found = builtins.match "([^ ]+) (.*)" rest;
    in
    {
      outputs = splitOn "," (elemAt found 0);
      vars = builtins.fromJSON (elemAt found 1);
    }
  ) (jsonLines "part");
  # By name: part and imports.
  std = named (f: {
    part = elemAt f 2;
    imports = keysOf (elemAt f 3);
  }) (fields "std");
  # By short name.
  modules = named (
    f:
    let
      isVendored = builtins.length f > 5;
    in
    {
      path = unescape (elemAt f 2);
      dir = if elemAt f 3 == "-" then null else unescape (elemAt f 3);
      lang = elemAt f 4;
      tree =
        if isVendored then
          {
            root = unescape (elemAt f 5);
            name = unescape (elemAt f 6);
            exclude = listOf (elemAt f 7);
          }
        else
          null;
    }
  ) (fields "module");
  packages = named (f: {
    template = elemAt f 2;
    files = listOf (elemAt f 3);
    imports = keysOf (elemAt f 4);
    options = options f 5;
  }) (fields "package");
  links = named (f: {
    template = elemAt f 2;
    main = unescape (elemAt f 3);
    roots = keysOf (elemAt f 4);
    options = options f 5;
  }) (fields "link");
  inherit unescape listOf;
}
