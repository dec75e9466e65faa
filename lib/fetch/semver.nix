# Whether a module version is lower than another one, by the rules of semantic versions. Both begin with `v`.
a: b:
let
  parse =
    v:
    let
      found = builtins.match "v([0-9]+)[.]([0-9]+)[.]([0-9]+)(-[^+]*)?([+].*)?" v;
      # A string that is not a version is lower than any version.
      parts = if found == null then [ "" "" "" null null ] else found;
      before = builtins.elemAt parts 3;
    in
    {
      # Versions with equal numbers compare by what follows: a pre-release (`before`) is lower than none.
      numbers = map number [
        (builtins.elemAt parts 0)
        (builtins.elemAt parts 1)
        (builtins.elemAt parts 2)
      ];
      before =
        if before == null then
          null
        else
          map identifier (
            builtins.filter builtins.isString (builtins.split "[.]" (builtins.substring 1 (-1) before))
          );
    };
  # Nix compares lists element by element, which orders these as semantic versions: numbers by length and then as strings,
  # and each number below each word.
  number = s: [
    0
    (builtins.stringLength s)
    s
  ];
  identifier =
    s:
    if builtins.match "[0-9]+" s != null then
      number s
    else
      [
        1
        0
        s
      ];
  l = parse a;
  r = parse b;
in
if l.numbers != r.numbers then
  l.numbers < r.numbers
else if l.before == null || r.before == null then
  l.before != null && r.before == null
else
  l.before < r.before
