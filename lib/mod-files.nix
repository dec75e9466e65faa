# What go.mod and go.work say, as far as it decides whether modules have to be fetched. The planner reads them anew.
let
  strings = builtins.filter builtins.isString;
  words = line: builtins.filter (w: w != "") (strings (builtins.split "[ \t\r]+" line));

  # The lines of a file as lists of words, with the verb of the block that a line is in.
  statements =
    file:
    let
      lines = map (line: words (builtins.head (builtins.split "//" line))) (
        strings (builtins.split "\n" (builtins.replaceStrings [ "\"" "`" ] [ "" "" ] (builtins.readFile file)))
      );
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
        else if builtins.length line == 2 && builtins.elemAt line 1 == "(" then
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

  # What stands behind a verb.
  named =
    verb: list:
    builtins.filter (rest: rest != [ ]) (map builtins.tail (builtins.filter (line: builtins.head line == verb) list));
in
{
  # Whether the modules at modRoot need others that are neither in src nor in its vendor directory.
  lacksModules =
    {
      src,
      modRoot,
      env,
      deleteVendor,
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
      root = builtins.head (workspaces ++ [ modRoot ]);
      work = if workspaces == [ ] then [ ] else statements "${at root}/go.work";
      dirs =
        if workspaces == [ ] then [ (at modRoot) ] else map (use: "${at root}/${builtins.head use}") (named "use" work);
      mods = map (dir: statements "${dir}/go.mod") (builtins.filter (dir: builtins.pathExists "${dir}/go.mod") dirs);

      # The modules that need no fetch: those of the workspace, and those that a directory stands in for, all versions
      # of them or one. A line is OLD [VERSION] => DIRECTORY; another module would have a version at the end.
      here =
        builtins.concatMap (map builtins.head) (map (named "module") mods)
        ++ builtins.concatMap (
          line:
          let
            word = builtins.elemAt line;
          in
          if builtins.length line == 3 && word 1 == "=>" then
            [ (word 0) ]
          else if builtins.length line == 4 && word 2 == "=>" then
            [ "${word 0} ${word 1}" ]
          else
            [ ]
        ) (builtins.concatMap (named "replace") (mods ++ [ work ]));
      isHere =
        line:
        builtins.elem (builtins.head line) here
        || builtins.length line > 1 && builtins.elem "${builtins.head line} ${builtins.elemAt line 1}" here;
    in
    (deleteVendor || !builtins.pathExists "${at root}/vendor/modules.txt")
    && !builtins.all isHere (builtins.concatMap (named "require") mods);
}
