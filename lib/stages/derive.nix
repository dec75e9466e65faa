# Makes derivations of the planner's data (see internal/drvgen). Once their inputs are known (resolved), they are the same
# as those that the planner writes in dynamic mode.
{ execute }:
{
  bound, # the output of the stage `bind`: derivations.json and the trees of sources
  modules, # the output of the stage `modules`: a list of trees
  modulesDir, # the directory with these trees
  locked, # the modules of a lock in place of these, or null
  inputs, # see planning.nix
  inner, # see inner.nix
}:
let
  # Flags and sources may name store paths, which are inputs of the planner. The context is discarded: derivations that
  # need such paths get them in another way, which is the same in all modes (see package.nix and cgo-env.nix).
  data = builtins.fromJSON (
    builtins.unsafeDiscardStringContext (builtins.readFile "${bound}/derivations.json")
  );

  # As the hash is given, Nix reads only trees that are not in the store yet.
  tree =
    base: t:
    builtins.path (
      {
        path = "${base}/${t.root}";
        inherit (t) name sha256;
      }
      // (
        if t ? exclude then
          {
            filter =
              let
                prefix = builtins.stringLength "${base}/${t.root}/";
              in
              path: _: !builtins.elem (builtins.substring prefix (-1) path) t.exclude;
          }
        else
          { }
      )
    );
  trees =
    base: list:
    builtins.listToAttrs (
      map (t: {
        name = t.store;
        value = tree base t;
      }) list
    );
  sources =
    (
      if locked == null then
        trees modulesDir (builtins.fromJSON (builtins.readFile modules))
      else
        builtins.listToAttrs (
          map (m: {
            name = builtins.unsafeDiscardStringContext "${m.tree}";
            value = m.tree;
          }) locked.config.modules
        )
    )
    // trees bound data.sources;

  value =
    v:
    (
      if v ? drv then
        (builtins.elemAt derivations v.drv).${v.output}
      else if v ? path then
        sources.${v.path}
      else
        inputs.${v.input}
    )
    + (v.suffix or "");

  derivations = map (
    d:
    execute inner {
      inherit (d) name outputs spec;
      specFile = if d ? specFile then value d.specFile else null;
      vars = builtins.mapAttrs (_: value) d.vars;
    }
  ) data.derivations;
  std = builtins.filter (d: d.name == "std") derivations;
  say = if data ? unplanned then builtins.trace data.unplanned else value: value;
in
{
  # The last derivation: the program, or the one that depends on all tests.
  last = say (builtins.elemAt derivations (builtins.length derivations - 1));
  # The first part of the standard library (`std`), or null.
  std = if std == [ ] then null else (builtins.head std).x;
  # The derivations that run tests, by import path.
  tests = builtins.mapAttrs (_: builtins.elemAt derivations) (data.tests or { });
}
