# Reads go.mod and go.work files, to find out before the build whether modules have to be fetched and whether a lock fits.
# The planner reads the files again with Go's own parser.
let
  strings = builtins.filter builtins.isString;
  words = line: builtins.filter (w: w != "") (strings (builtins.split "[ \t\r]+" line));

  # The tokens of a line: words, which may be quoted, and parentheses. Comments are left out.
  tokens =
    line:
    builtins.concatMap (
      part:
      if builtins.isString part then
        words (builtins.replaceStrings [ "(" ")" ] [ " ( " " ) " ] part)
      else
        let
          token = builtins.head part;
          inside = builtins.substring 1 (builtins.stringLength token - 2) token;
        in
        if builtins.substring 0 2 token == "//" then
          [ ]
        else if builtins.substring 0 1 token == "`" then
          [ inside ]
        else
          [ (builtins.replaceStrings [ "\\\\" "\\\"" ] [ "\\" "\"" ] inside) ]
    ) (builtins.split "(\"([^\"\\]|\\\\.)*\"|`[^`]*`|//.*)" line);

  # The statements of a file as lists of words. Each line of a block gets the verb of the block as its first word.
  statements =
    file:
    let
      lines = map tokens (strings (builtins.split "\n" (builtins.readFile file)));
      step =
        { verb, found }:
        line:
        if line == [ ] then
          { inherit verb found; }
        else if line == [ ")" ] then
          {
            verb = null;
            inherit found;
          }
        else if verb != null then
          {
            inherit verb;
            found = found ++ [ ([ verb ] ++ line) ];
          }
        else if builtins.tail line == [ "(" ")" ] then
          { inherit verb found; }
        else if builtins.tail line == [ "(" ] then
          {
            verb = builtins.head line;
            inherit found;
          }
        else
          {
            inherit verb;
            found = found ++ [ line ];
          };
    in
    (builtins.foldl' step {
      verb = null;
      found = [ ];
    } lines).found;

  # Of all statements with a verb, the words behind it.
  named =
    verb: list:
    builtins.filter (rest: rest != [ ]) (map builtins.tail (builtins.filter (line: builtins.head line == verb) list));

  # The module or workspace that modRoot belongs to: `mods` has the statements of the go.mod of each main module, `work`
  # those of go.work, and `sums` the paths of the go.sum files.
  project =
    {
      src,
      modRoot,
      env,
    }:
    let
      at = dir: if dir == "." then src else "${src}/${dir}";
      above =
        dir:
        [ dir ]
        ++ (
          if dir == "." then
            [ ]
          else
            let
              up = builtins.match "(.*)/[^/]*" dir;
            in
            above (if up == null then "." else builtins.head up)
        );
      workspaces =
        if env.GOWORK or "" == "off" then
          [ ]
        else
          builtins.filter (dir: builtins.pathExists "${at dir}/go.work") (above modRoot);
      isWork = workspaces != [ ];
      root = at (builtins.head (workspaces ++ [ modRoot ]));
      work = if isWork then statements "${root}/go.work" else [ ];
      dirs = builtins.filter (dir: builtins.pathExists "${dir}/go.mod") (
        if isWork then map (use: "${root}/${builtins.head use}") (named "use" work) else [ root ]
      );
    in
    {
      inherit root isWork work;
      mods = map (dir: statements "${dir}/go.mod") dirs;
      sums = builtins.filter builtins.pathExists (
        map (dir: "${dir}/go.sum") dirs ++ (if isWork then [ "${root}/go.work.sum" ] else [ ])
      );
    };

  # The replacements of a file: by "PATH" or "PATH VERSION", the replacement's path and version. The version of a directory
  # is "".
  replaces =
    list:
    builtins.concatMap (
      line:
      let
        word = builtins.elemAt line;
        n = builtins.length line;
        by = from: {
          path = word from;
          version = if n > from + 1 then word (from + 1) else "";
        };
      in
      if n >= 3 && word 1 == "=>" then
        [
          {
            name = word 0;
            value = by 2;
          }
        ]
      else if n >= 4 && word 2 == "=>" then
        [
          {
            name = "${word 0} ${word 1}";
            value = by 3;
          }
        ]
      else
        [ ]
    ) (named "replace" list);
in
{
  inherit
    named
    project
    replaces
    words
    ;
  lines = text: strings (builtins.split "\n" text);

  # The required modules as path and version, replacements applied. Modules that a directory replaces are left out.
  requirements =
    project:
    let
      replaced = builtins.listToAttrs (builtins.concatMap replaces ([ project.work ] ++ project.mods));
      source =
        line:
        let
          path = builtins.head line;
          version = builtins.elemAt line 1;
        in
        replaced."${path} ${version}" or replaced.${path} or { inherit path version; };
    in
    builtins.filter (m: m.version != "") (
      map source (
        builtins.filter (line: builtins.length line > 1) (builtins.concatMap (named "require") project.mods)
      )
    );

  # Whether the main modules need modules that are neither in src nor in its vendor directory.
  lacksModules =
    {
      src,
      modRoot,
      env,
      deleteVendor,
    }:
    let
      at = project { inherit src modRoot env; };
      # The modules that need no fetch, by "PATH" or "PATH VERSION": main modules, and those that a directory replaces.
      here =
        builtins.concatMap (map builtins.head) (map (named "module") at.mods)
        ++ map (r: r.name) (
          builtins.filter (r: r.value.version == "") (builtins.concatMap replaces (at.mods ++ [ at.work ]))
        );
      isHere =
        line:
        builtins.elem (builtins.head line) here
        || builtins.length line > 1 && builtins.elem "${builtins.head line} ${builtins.elemAt line 1}" here;
    in
    # The go command uses any directory `vendor`, and fails if that has no modules.txt.
    (deleteVendor || !builtins.pathExists "${at.root}/vendor")
    && !builtins.all isHere (builtins.concatMap (named "require") at.mods);
}
