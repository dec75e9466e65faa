# The trees of the modules that a plan in a file names, by their places below a vendor directory: those of a lock, or of
# the sources' own vendor directory.
{
  plan,
  src,
  locked, # the lock's modules, or null
  fail,
}:
let
  # As the go command names directories of its module cache.
  upper = [ "A" "B" "C" "D" "E" "F" "G" "H" "I" "J" "K" "L" "M" "N" "O" "P" "Q" "R" "S" "T" "U" "V" "W" "X" "Y" "Z" ];
  lower = [ "!a" "!b" "!c" "!d" "!e" "!f" "!g" "!h" "!i" "!j" "!k" "!l" "!m" "!n" "!o" "!p" "!q" "!r" "!s" "!t" "!u" "!v" "!w" "!x" "!y" "!z" ];
  escape = builtins.replaceStrings upper lower;

  ofLock = builtins.listToAttrs (
    map (m: {
      name = "${escape m.path}@${escape m.version}";
      value = m.tree;
    }) (if locked == null then [ ] else locked)
  );
  ofSources =
    { root, name, exclude }:
    let
      path = src + "/${root}";
      base =
        if builtins.pathExists path then
          path
        else
          fail "dgd.plan is stale: it names ${toString path}, which is not there: run `dgd plan` beside go.mod, or beside go.work";
      prefix = builtins.stringLength (toString base) + 1;
    in
    builtins.path (
      {
        path = base;
        inherit name;
      }
      // (
        if exclude == [ ] then
          { }
        else
          { filter = path: _: !builtins.elem (builtins.substring prefix (-1) path) exclude; }
      )
    );
in
ofLock
// builtins.listToAttrs (
  map (m: {
    name = m.dir;
    value =
      if m.tree != null then
        ofSources m.tree
      else
        ofLock.${m.dir} or (fail "dgd.plan has the module ${m.dir}, and dgd.lock has not: run `dgd plan`");
  }) (builtins.filter (m: m.dir != null) (builtins.attrValues plan.modules))
)
