# The trees of the modules that a plan in a file names, by their places below a vendor directory. They come from a lock,
# or from the vendor directory of the sources.
{
  plan, # see plan-file.nix
  src, # the sources, which evaluation can read
  locked, # the modules of the lock, or null
  fail,
}:
let
  inherit (import ../functions.nix) escapeModule;

  ofLock = builtins.listToAttrs (
    map (m: {
      name = "${escapeModule m.path}@${escapeModule m.version}";
      value = m.tree;
    }) (if locked == null then [ ] else locked)
  );
  ofSources =
    { root, name, exclude }:
    let
      base = plan.existing (src + "/${root}");
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
        ofLock.${m.dir} or (fail "dgd.plan names the module ${m.dir}, which dgd.lock does not have: run `dgd plan`");
  }) (builtins.filter (m: m.dir != null) (builtins.attrValues plan.modules))
)
