# Functions that several files of the library share.
let
  characters = s: builtins.genList (i: builtins.substring i 1 s) (builtins.stringLength s);
in
{
  # An attribute set with the strings of a list as names, for lookups: all values are null.
  setOf =
    list:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = null;
      }) list
    );

  # As `map`, but the function gets an element's index (from 0) before the element.
  imap = f: list: builtins.genList (i: f i (builtins.elemAt list i)) (builtins.length list);

  # The directory part of a path that has one.
  dirName = p: builtins.head (builtins.match "(.*)/[^/]*" p);

  # A text with each dollar sign doubled, so that the executor expands nothing in it.
  escape = builtins.replaceStrings [ "$" ] [ "$$" ];

  # A string as one word of a shell.
  quote = s: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] s}'";

  # A module path or version as file names in a module cache have it: `!` and the small letter for each capital one.
  escapeModule = builtins.replaceStrings (characters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (
    map (c: "!${c}") (characters "abcdefghijklmnopqrstuvwxyz")
  );

  # Prints a warning and returns the second argument. Nix has builtins.warn since 2.23.
  warn = builtins.warn or (message: builtins.trace "warning: ${message}");
}
