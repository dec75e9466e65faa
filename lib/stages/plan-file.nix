# Reads a dgd.plan: the text of internal/planfile, line by line. Nothing is built for it.
{
  fail,
  file,
  variant, # the name of the plan in the file, one of `variants`
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
    if substring (stringLength line - 1) 1 line == "\r" then
      fail "${name}:${toString (i + 1)}: the line ends in a carriage return, as some editors and git's core.autocrlf make it: run `dgd plan`, and say `dgd.plan -text` in .gitattributes"
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
      fail "${name}:1: this is no plan of dgd: run `dgd plan`"
    else if version != [ "1" ] then
      fail "${name} has format version ${builtins.head version}, and this dgd knows 1: run `dgd plan` of this dgd"
    else
      builtins.tail checked;

  # A line that not all targets have begins with those that have it.
  marked =
    line:
    if substring 0 1 line != "@" then
      null
    else
      builtins.head (builtins.match "@([^ ]*) .*" (substring 0 999 line + " "));
  withoutMark =
    line:
    let
      mark = marked line;
    in
    if mark == null then line else substring (stringLength mark + 2) (-1) line;
  isOfVariant =
    line:
    let
      mark = marked line;
    in
    mark == null || builtins.elem variant (splitOn "," mark);
  ofVariant = map withoutMark (builtins.filter isOfVariant lines);

  # By what they are about: lists of lines as lists of fields.
  kindOf = line: builtins.head (builtins.match "([a-z]*) .*" (substring 0 12 line + " "));
  byKind = builtins.groupBy kindOf ofVariant;
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
  lists = {
    P = null;
    r = null;
    t = null;
    L = null;
    m = null;
  };
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
          # What is a list stays as it is written.
          value = (if lists ? ${substring 0 1 word} then (s: s) else unescape) (substring 2 (-1) word);
        }
      ) (builtins.length f - from)
    );

  # A key as a package of the same module has it.
  within =
    of: key:
    if substring 0 2 key == ".:" then
      "${builtins.head (builtins.match "([^:]*):.*" of)}${substring 1 (-1) key}"
    else
      key;
  # The name of a file: without a dot at its end it is one of Go.
  goName =
    name:
    let
      last = stringLength name - 1;
    in
    if substring last 1 name == "." then substring 0 last name else "${name}.go";
  # Patterns of embedded files, each with what it matches.
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

  # An output of a node: KEY, or KEY>OUTPUT.
  ref =
    s:
    let
      words = splitOn ">" s;
    in
    {
      key = builtins.head words;
      output = if builtins.length words == 1 then "export" else elemAt words 1;
    };

  # Trees that a node is made from: see the writer's trees.
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

  packagesOf =
    kind:
    named (f: {
      template = elemAt f 2;
      files = map goName (listOf (elemAt f 3));
      imports = map (within (elemAt f 1)) (keysOf (elemAt f 4));
      options = options f 5;
    }) (fields kind);
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
  # The numbers of the lines that begin with some words.
  numbersOf =
    words:
    builtins.filter (
      i:
      let
        line = elemAt checked (i - 1);
      in
      isOfVariant line && substring 0 (stringLength words) (withoutMark line) == words
    ) (builtins.genList (i: i + 1) count);
  settings = jsonLines "set";
  # The settings of all plans in the file, by the plans' names: targets, but where several are for one.
  variants =
    let
      settings = map (line: {
        mark = marked line;
        words = builtins.match "set ([^ ]+) (.*)" (withoutMark line);
      }) (builtins.filter (line: substring 0 4 (withoutMark line) == "set ") lines);
      named =
        setting:
        builtins.concatMap (
          s: if builtins.head s.words == setting then [ (builtins.fromJSON (elemAt s.words 1)) ] else [ ]
        ) settings;
    in
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = builtins.listToAttrs (
          map (s: {
            name = elemAt s.words 0;
            value = elemAt s.words 1;
          }) (builtins.filter (s: s.mark == null || builtins.elem name (splitOn "," s.mark)) settings)
        );
      }) (if named "variant" == [ ] then named "target" else named "variant")
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
  # By name: part and imports.
  std = named (f: {
    part = elemAt f 2;
    imports = keysOf (elemAt f 3);
  }) (fields "std");
  # By short name.
  modules = named (
    f:
    let
      isVendored = builtins.length f > 8;
    in
    {
      path = unescape (elemAt f 2);
      dir = if elemAt f 3 == "-" then null else unescape (elemAt f 3);
      lang = elemAt f 4;
      # What the compiler puts behind the path: the version, with an @.
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
  # What tests alone need has keys that begin with "^".
  packages = packagesOf "package";
  testPackages = packagesOf "testpackage";
  links = linksOf "link";
  testLinks = linksOf "testlink";
  # What else derivations are made of, by kind!package!part.
  nodes = nodesOf "node";
  testNodes = nodesOf "testnode";
  # What builds the programs by the go command, in place of these, or null.
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
  # Runs of tests, by import path.
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
  inherit unescape keysOf;
  inherit
    listOf
    splitOn
    ref
    trees
    patterns
    ;
}
