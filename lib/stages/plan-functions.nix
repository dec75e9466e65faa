# What the expressions that read a plan in a file have in common.
{
  # map, of a function that has the element's index before it.
  imap = f: list: builtins.genList (i: f i (builtins.elemAt list i)) (builtins.length list);
  # A set with the strings of a list as names, of which only these count.
  setOf =
    list:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = null;
      }) list
    );
  # The directory of a path that has one.
  dirName = p: builtins.head (builtins.match "(.*)/[^/]*" p);
  # A text in which the executor sees no token.
  escape = builtins.replaceStrings [ "$" ] [ "$$" ];
}
