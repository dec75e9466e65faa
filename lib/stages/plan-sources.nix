# What the derivations of a plan in a file are made from: texts and trees, with their places below SRC. They are those that
# internal/bind finds.
{
  src, # the sources, which evaluation can read
  modules, # trees of modules, by their places below a vendor directory
  fail,
}:
let
  inherit (builtins) stringLength substring;
  inherit (import ./plan-functions.nix) setOf escape;
  storeName = import ./store-name.nix;
  # The directories that a file is in.
  above =
    f:
    let
      dir = builtins.match "(.*)/[^/]*" f;
    in
    if dir == null then [ ] else dir ++ above (builtins.head dir);
  # What the plan names is there, but for a stale one.
  existing =
    path:
    if builtins.pathExists path then
      path
    else
      fail "dgd.plan is stale: it names ${toString path}, which is not there: run `dgd plan` beside go.mod, or beside go.work";
  baseOf = at: if at == "." then src else existing (src + "/${at}");
  tokenOf = at: if at == "." then "\${SRC}" else "\${SRC}/${escape at}";

  # A tree of a directory, with what a filter of relative paths lets pass.
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
    # A directory that is listed is there with all that is below it.
    tree name at (path: wanted ? ${path} || builtins.any (dir: listed ? ${dir}) (above path));
  without =
    name: at: files:
    let
      unwanted = setOf files;
    in
    tree name at (path: !(unwanted ? ${path}));

  # Files up to this size are a part of the derivation, as stage.texts says.
  maxTexts = 16384;
  # Whether Nix might put a store path in the place of something in a text.
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

  # The files of a package of the sources.
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

  # The trees that a line lists.
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

  # The same as copies: C compilers resolve links.
  copied = sources: sources // { trees = map (t: t // { copy = true; }) sources.trees; };
}
