# Whether a version of a module is lower than another one: semantic versions, with their v.
a: b:
let
  parse =
    v:
    let
      found = builtins.match "v([0-9]+)[.]([0-9]+)[.]([0-9]+)(-[^+]*)?([+].*)?" v;
      # A text that is not a version counts as the lowest one.
      parts = if found == null then [ "" "" "" null null ] else found;
      before = builtins.elemAt parts 3;
    in
    {
      # Numbers first: that there is nothing behind them is more than anything.
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
  # Lists of strings and numbers compare as semantic versions do: a number is lower than a word.
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
