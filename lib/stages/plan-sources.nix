# The sources of the derivations of a plan in a file: `files` with texts and `trees` in the store, each with its place
# below SRC. internal/bind finds the same ones.
{
  src, # the sources, which evaluation can read
  modules, # trees of modules, by their places below a vendor directory
  existing, # see plan-file.nix
}:
let
  inherit (builtins) stringLength substring;
  inherit (import ../functions.nix) setOf escape;
  storeName = import ./store-name.nix;
  # The directories that a file is in.
  above =
    f:
    let
      dir = builtins.match "(.*)/[^/]*" f;
    in
    if dir == null then [ ] else dir ++ above (builtins.head dir);
  baseOf = at: if at == "." then src else existing (src + "/${at}");
  tokenOf = at: if at == "." then "\${SRC}" else "\${SRC}/${escape at}";

  # A tree of those files of a directory whose relative paths a predicate accepts.
  tree =
    name: at: isWanted:
    let
      prefix = stringLength (toString (baseOf at)) + 1;
    in
    {
      at = tokenOf at;
      tree = builtins.path {
        path = baseOf at;
        name = storeName name;
        filter = path: _: isWanted (substring prefix (-1) path);
      };
    };
  some =
    name: at: files:
    let
      listed = setOf files;
      wanted = setOf (files ++ builtins.concatMap above files);
    in
    # A directory in the list stands for all files below it.
    tree name at (path: wanted ? ${path} || builtins.any (dir: listed ? ${dir}) (above path));
  without =
    name: at: files:
    let
      unwanted = setOf files;
    in
    tree name at (path: !(unwanted ? ${path}));

  # Up to this size in bytes, all files of a package together, the derivation contains the texts itself: see stage.texts.
  maxTexts = 16384;
  # Whether a text has something that looks like a placeholder, which Nix could replace by a store path.
  hasPlaceholder = text: builtins.length (builtins.split "/[0-9a-z]{52}" text) > 1;
in
rec {
  none = {
    files = [ ];
    trees = [ ];
  };

  module = dir: {
    files = [ ];
    trees = [
      {
        at = "\${SRC}/vendor/${escape dir}";
        tree = modules.${dir};
      }
    ];
  };

  # The sources of a package of a main module.
  own =
    {
      name,
      at,
      files,
      more,
    }:
    let
      texts = map (f: {
        name = f;
        text = builtins.readFile (existing (baseOf at + "/${f}"));
      }) (builtins.sort builtins.lessThan (files ++ more));
      isGo = builtins.all (f: builtins.match ".*[.]go" f != null) (files ++ more);
      fits =
        isGo
        && builtins.foldl' (size: t: if size > maxTexts then size else size + stringLength t.text) 0 texts <= maxTexts
        && builtins.all (t: !(hasPlaceholder t.text)) texts;
    in
    if fits then
      none // { files = map (t: t // { path = "${tokenOf at}/${escape t.name}"; }) texts; }
    else
      none // { trees = [ (some name at (files ++ more)) ]; };

  # The trees that a line of the plan lists.
  listed =
    name: list:
    none
    // {
      trees = builtins.concatMap (
        t:
        if t.form == "@" then
          (module t.at).trees
        else
          [ ((if t.form == "+" then some else without) name t.at t.files) ]
      ) list;
    };

  # The same sources, with copies in place of symlinks: C compilers resolve symlinks.
  copied = sources: sources // { trees = map (t: t // { copy = true; }) sources.trees; };
}
