# Makes derivations of the planner's data (see internal/drvgen). Once their inputs are known they are the same as those
# that the planner writes itself in dynamic mode.
{ execute }:
{
  bound, # the planner's output: derivations.json and the sources
  modules, # the planner's list of modules
  modulesDir, # where these modules are
  locked, # in place of these: the modules of a lock, or null
  inputs,
  inner, # see inner.nix
}:
let
  # A flag or a source may name store paths that are inputs of the planner. Derivations that need them get them in
  # another way (see package.nix and cgo-env.nix), the same in both modes.
  data = builtins.fromJSON (
    builtins.unsafeDiscardStringContext (builtins.readFile "${bound}/derivations.json")
  );

  # With the hash given, Nix reads only those trees that the store does not have yet.
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
  # The program, or what refers to all tests.
  last = say (builtins.elemAt derivations (builtins.length derivations - 1));
  # The part of the standard library that nearly every program uses, or null.
  std = if std == [ ] then null else (builtins.head std).x;
  # The derivations that run tests, by import path.
  tests = builtins.mapAttrs (_: builtins.elemAt derivations) (data.tests or { });
}
