# An error message if the lines of a plan in a file do not go together, or null. After a merge each line can be intact, and
# yet others be missing or there twice.
{
  plan, # see plan-file.nix
  tests, # whether to check the lines for tests, too
}:
let
  inherit (builtins)
    attrNames
    attrValues
    concatMap
    head
    length
    ;
  inherit (import ../functions.nix) setOf;
  ofTests = set: if tests then set else { };
  packages = plan.packages // ofTests plan.testPackages;
  links = plan.links // ofTests plan.testLinks;
  nodes = plan.nodes // ofTests plan.testNodes;
  each = set: f: concatMap (key: f key set.${key}) (attrNames set);
  unless = isRight: fault: if isRight then [ ] else [ fault ];

  # By kind of line, the attribute set that plan-file.nix makes of the lines.
  ofKind = {
    inherit (plan) std;
    set = plan.settings;
    template = plan.templates;
    part = plan.parts;
    module = plan.modules;
    package = plan.packages;
    link = plan.links;
    node = plan.nodes;
    bygo = if plan.byGo == null then { } else { inherit (plan.byGo) name; };
  };
  ofTestKind = {
    testpackage = plan.testPackages;
    testlink = plan.testLinks;
    testnode = plan.testNodes;
    test = plan.tests;
    untested = setOf plan.untested;
  };

  # Lines of the same kind and name: only one of them would count.
  twice =
    each (ofKind // ofTests ofTestKind)
      (
        kind: set:
        if length (plan.linesOf kind) == length (attrNames set) then
          [ ]
        else
          let
            nameOf = line: builtins.elemAt (plan.splitOn " " line) 1;
            byName = builtins.groupBy nameOf (plan.linesOf kind);
          in
          each byName (
            name: lines:
            unless (length lines == 1) "the lines ${
              builtins.concatStringsSep " and " (map toString (plan.numbersOf lines))
            } both begin with `${kind} ${name}`"
          )
      );

  # Lines of unknown kinds, as another version of dgd may write.
  unknown = concatMap (
    kind: unless (ofKind ? ${kind} || ofTestKind ? ${kind}) "this dgd knows no lines that begin with `${kind}`"
  ) plan.kinds;

  # Missing lines that others refer to.
  lacks = kind: key: by: "there is no line `${kind} ${key}`, and that of ${by} needs it";
  package = by: key: unless (packages ? ${key} || plan.std ? ${key}) (lacks "package" key by);
  node = by: key: if nodes ? ${key} then [ ] else package by key;
  template = by: key: unless (plan.templates ? ${key}) (lacks "template" key by);
  part = by: key: unless (plan.parts ? ${key}) (lacks "part" key by);
  module =
    key:
    let
      alias = head (builtins.match "\\^?([^:]*):.*" key);
    in
    unless (alias == "" || plan.modules ? ${alias}) (lacks "module" alias key);
  dangling =
    each packages (
      key: p:
      template key p.template
      ++ module key
      ++ concatMap (package key) p.imports
      ++ concatMap (r: node key (plan.ref r).key) (plan.keysOf (p.options.r or "-"))
    )
    ++ each links (key: l: template key l.template ++ concatMap (package key) l.roots)
    ++ each nodes (key: n: template key n.template ++ concatMap (r: node key r.key) n.refs)
    ++ each plan.std (key: s: part key s.part ++ concatMap (package key) s.imports)
    ++ each plan.parts (
      key: p:
      concatMap (
        v:
        let
          other = builtins.match "!(.*)!.*" v;
        in
        if other == null then [ ] else part key (head other)
      ) (attrValues p.vars)
    )
    ++ (if plan.byGo == null then [ ] else template plan.byGo.name plan.byGo.template)
    ++ each (ofTests plan.tests) (
      key: t: template key t.template ++ unless (links ? ${t.program}) (lacks "testlink" t.program key)
    )
    ++ concatMap (package "untested packages") (if tests then plan.untested else [ ]);

  refsOf =
    builtins.mapAttrs (
      _: p: p.imports ++ map (r: (plan.ref r).key) (plan.keysOf (p.options.r or "-"))
    ) packages
    // builtins.mapAttrs (_: n: map (r: r.key) n.refs) nodes;
  circle = import ./plan-circles.nix {
    inherit refsOf;
    groupOf = builtins.mapAttrs (_: p: p.group) packages // builtins.mapAttrs (_: _: null) nodes;
  };
  circles = unless (circle == null) circle;

  # Main packages without the line of their program.
  isMain = builtins.mapAttrs (
    _: text: builtins.replaceStrings [ ''"-p","main"'' ] [ "" ] text != text
  ) plan.templates;
  linked = setOf (map (l: head l.roots) (attrValues plan.links));
  unlinked = each plan.packages (
    key: p: unless (linked ? ${key} || !(isMain.${p.template} or false)) "there is no line `link` of the program ${key}"
  );

  # Missing settings that other lines require.
  setting = key: isThere: unless (!isThere || plan.settings ? ${key}) "there is no line `set ${key}`";
  withC = builtins.any (p: p.options ? c) (attrValues packages ++ attrValues nodes);
  settings =
    setting "digest" true
    ++ setting "toolEnv" true
    ++ setting "cgoEnv" withC
    ++ setting "contentAddressed" (
      builtins.any (key: builtins.substring 0 8 key == "objects!") (attrNames plan.nodes)
    )
    ++ setting "unplanned" (plan.byGo != null)
    ++ setting "testdigest" tests
    ++ setting "testvendor" tests;
  # The go command builds either all programs or none.
  byGo =
    unless (!(plan.settings ? unplanned) || plan.byGo != null) "there is no line `bygo`"
    ++ unless (plan.byGo == null || plan.packages == { }) "the lines `bygo` and `package` exclude each other";

  faults = unknown ++ twice ++ settings ++ byGo ++ dangling ++ unlinked ++ circles;
in
if faults == [ ] then null else "${plan.name} is damaged: ${head faults}: run `dgd plan`"
