# Reads a plan in a file (dgd.plan), which internal/planfile writes. Reading it builds nothing.
{
  fail,
  file,
  variant, # which plan of the file: a name in `variants`
}:
let
  inherit (builtins) elemAt substring stringLength;
  inherit (import ../functions.nix) imap;
  strings = builtins.filter builtins.isString;
  splitOn = separator: text: strings (builtins.split separator text);
  name = toString file;

  text = builtins.readFile file;
  all = splitOn "\n" text;
  count = builtins.length all - 1;
  damaged = i: "${name}:${toString (i + 1)}: the line is damaged, or was edited by hand: run `dgd plan`";

  # The lines without their checksums.
  checked = builtins.genList (
    i:
    let
      line = elemAt all i;
      end = stringLength line - 6;
      body = substring 0 end line;
    in
    if substring (stringLength line - 1) 1 line == "\r" then
      fail "${name}:${toString (i + 1)}: the line ends in a carriage return, as some editors and git's core.autocrlf make it: run `dgd plan`, and add `dgd.plan -text` to .gitattributes"
    else if end < 0 || substring end 6 line != " #${substring 0 4 (builtins.hashString "sha256" body)}" then
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
      fail "${name}:1: this is not a plan of dgd: run `dgd plan`"
    else if version != [ "1" ] then
      fail "${name} has format version ${builtins.head version}, and this dgd knows 1: run `dgd plan` of this dgd"
    else
      builtins.tail checked;

  # A line with the targets that it is for: null for all of them. Otherwise the line begins with @ and their names.
  entry =
    line:
    let
      mark = builtins.head (splitOn " " line);
    in
    if substring 0 1 line != "@" then
      {
        targets = null;
        text = line;
      }
    else
      {
        targets = splitOn "," (substring 1 (-1) mark);
        text = substring (stringLength mark + 1) (-1) line;
      };
  entries = map entry lines;
  isOf = variant: e: e.targets == null || builtins.elem variant e.targets;
  ofVariant = map (e: e.text) (builtins.filter (isOf variant) entries);

  # The kind of a line: its first word.
  kindOf =
    line:
    let
      kind = builtins.match "([a-z]*) .*" (substring 0 12 line + " ");
    in
    if kind == null then "" else builtins.head kind;
  byKind = builtins.groupBy kindOf ofVariant;
  fields = kind: map (splitOn " ") (byKind.${kind} or [ ]);

  # The text of a field.
  unescape =
    s:
    # Nix's regular expressions fail on long texts.
    if stringLength s < 999 && builtins.match "[^%]*" s != null then
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
          "%3B"
          "%3E"
          "%21"
          "%2D"
          "%25"
        ]
        [
          " "
          ","
          "\n"
          "\r"
          "\t"
          "="
          ";"
          ">"
          "!"
          "-"
          "%"
        ]
        s;
  # The list in a field.
  listOf = s: if s == "-" then [ ] else map unescape (splitOn "," s);
  # The list of keys in a field. Keys stay escaped.
  keysOf = s: if s == "-" then [ ] else splitOn "," s;

  # A line `KIND NAME JSON`. The JSON may be long and have spaces.
  jsonLine =
    line:
    let
      words = builtins.match "([a-z]+ )([^ ]+) .*" (substring 0 999 line + " ");
      name = elemAt words 1;
    in
    {
      inherit name;
      value = substring (stringLength (elemAt words 0) + stringLength name + 1) (-1) line;
    };
  jsonLines = kind: builtins.listToAttrs (map jsonLine (byKind.${kind} or [ ]));

  # Lines, given as lists of fields, by their second fields.
  named = value: list: builtins.listToAttrs (map (f: { name = elemAt f 1; value = value f; }) list);

  # The options whose values are lists.
  lists = {
    P = null;
    r = null;
    t = null;
    L = null;
    m = null;
  };
  # The options of a line, X=VALUE each, from a field on.
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
          # A list stays escaped until it is split.
          value = (if lists ? ${substring 0 1 word} then (s: s) else unescape) (substring 2 (-1) word);
        }
      ) (builtins.length f - from)
    );

  # The short name of a package's module. For a package of tests alone it begins with ^.
  aliasOf = key: builtins.head (builtins.match "([^:]*):.*" key);
  # A full key for one that may have a dot in place of the short name of the package `of`.
  within = of: key: if substring 0 2 key == ".:" then "${aliasOf of}${substring 1 (-1) key}" else key;
  # The name of a file. The suffix .go is left out in the plan; other names have a dot at the end.
  goName =
    name:
    let
      last = stringLength name - 1;
    in
    if substring last 1 name == "." then substring 0 last name else "${name}.go";
  # The patterns of embedded files, each with the files that it matches.
  patterns =
    s:
    map (
      text:
      let
        names = listOf text;
      in
      {
        name = builtins.head names;
        value = builtins.tail names;
      }
    ) (splitOn ";" s);

  # An output of a node: KEY for the export data, or KEY>OUTPUT.
  ref =
    s:
    let
      words = splitOn ">" s;
    in
    {
      key = builtins.head words;
      output = if builtins.length words == 1 then "export" else elemAt words 1;
    };

  # The trees that a node reads, as internal/planfile writes them: form (+ for these files, - for all but these, @ for a
  # module), place, files.
  trees =
    s:
    map (
      text:
      let
        names = listOf text;
        first = builtins.head names;
      in
      {
        form = substring 0 1 first;
        at = substring 1 (-1) first;
        files = builtins.tail names;
      }
    ) (splitOn ";" s);

  # The group of packages that a package shares a derivation with, and its level in the group; or null. A group whose
  # label begins with + may have packages of several modules.
  groupOf =
    key: options:
    let
      words = builtins.match "([+0-9a-fx]+)[.]([0-9]+)" options.g;
      label = builtins.head words;
    in
    if !(options ? g) then
      null
    else
      {
        id = if substring 0 1 label == "+" then label else "${aliasOf key}:${label}";
        level = elemAt words 1;
      };
  packagesOf =
    kind:
    named (
      f:
      let
        key = elemAt f 1;
        given = options f 5;
      in
      {
        template = elemAt f 2;
        files = map goName (listOf (elemAt f 3));
        imports = map (within key) (keysOf (elemAt f 4));
        options = given;
        group = groupOf key given;
      }
    ) (fields kind);
  linksOf =
    kind:
    named (f: {
      template = elemAt f 2;
      main = unescape (elemAt f 3);
      roots = keysOf (elemAt f 4);
      options = options f 5;
    }) (fields kind);
  nodesOf =
    kind:
    named (f: {
      template = elemAt f 2;
      refs = map ref (keysOf (elemAt f 3));
      options = options f 4;
    }) (fields kind);
in
{
  inherit name text;
  linesOf = kind: byKind.${kind} or [ ];
  kinds = builtins.attrNames byKind;
  # The path, if it exists. The plan names files of the sources: one that does not exist means that the plan is stale.
  existing =
    path:
    if builtins.pathExists path then
      path
    else
      fail "dgd.plan is stale: it names ${toString path}, which does not exist: run `dgd plan` beside go.mod, or beside go.work";
  # The numbers of these lines. `entries` begins with the second line of the file.
  numbersOf =
    lines:
    builtins.concatLists (
      imap (i: e: if isOf variant e && builtins.elem e.text lines then [ (i + 2) ] else [ ]) entries
    );
  settings = jsonLines "set";
  # The settings of all plans in the file, by the names of the plans: the target, or the setting `variant` where several
  # plans are for one target.
  variants =
    let
      settings = map (e: e // jsonLine e.text) (builtins.filter (e: substring 0 4 e.text == "set ") entries);
      values =
        setting: map (s: builtins.fromJSON s.value) (builtins.filter (s: s.name == setting) settings);
    in
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = builtins.listToAttrs (builtins.filter (isOf name) settings);
      }) (if values "variant" == [ ] then values "target" else values "variant")
    );
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
  # The packages of the standard library, by import path.
  std = named (f: {
    part = elemAt f 2;
    imports = keysOf (elemAt f 3);
  }) (fields "std");
  # The modules, by short name.
  modules = named (
    f:
    let
      isVendored = builtins.length f > 8;
    in
    {
      path = unescape (elemAt f 2);
      dir = if elemAt f 3 == "-" then null else unescape (elemAt f 3);
      lang = elemAt f 4;
      # The suffix that the compiler gets behind the module's path: @ and the version, or "".
      version =
        let
          ofDir = builtins.match "[^@]*(@.*)" (elemAt f 3);
          text = if isVendored then elemAt f 8 else if ofDir == null then "-" else builtins.head ofDir;
        in
        if text == "-" then "" else unescape text;
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
  # Packages by key. Those that only tests need are in testPackages and have keys that begin with ^.
  packages = packagesOf "package";
  testPackages = packagesOf "testpackage";
  links = linksOf "link";
  testLinks = linksOf "testlink";
  # The parts of packages with C, by KIND!PACKAGE!PART.
  nodes = nodesOf "node";
  testNodes = nodesOf "testnode";
  # The build of the programs by the go command, in place of packages and links, or null.
  byGo =
    let
      list = fields "bygo";
      f = builtins.head list;
    in
    if list == [ ] then
      null
    else
      {
        name = unescape (elemAt f 1);
        template = elemAt f 2;
        inputs = listOf (elemAt f 3);
        options = options f 4;
      };
  # The runs of tests, by import path.
  tests = builtins.listToAttrs (
    map (f: {
      name = unescape (elemAt f 1);
      value = {
        program = "link!^${elemAt f 1}.test";
        template = elemAt f 2;
        main = unescape (elemAt f 3);
        options = options f 4;
      };
    }) (fields "test")
  );
  # The keys of packages without tests. They must compile for the tests to pass.
  untested = map (f: elemAt f 1) (fields "untested");
  inherit unescape keysOf;
  inherit
    listOf
    splitOn
    ref
    trees
    patterns
    ;
}
