# The derivations of a plan in a file. They are byte for byte those that internal/drvgen makes of the same graph, so that
# a plan in a file and import from derivation share all packages.
{ execute }:
args@{
  plan, # see plan-file.nix
  src, # the sources, which evaluation can read
  trees, # the trees of the modules, by their places below a vendor directory
  inputs, # the inputs of the build, see planning.nix
  tools, # GOHOSTOS_GOHOSTARCH
  values, # the values of -X that the plan has placeholders for
  libraries, # whether there may be packages that no program needs
  inner, # see inner.nix
  testInputs, # the inputs of tests
}:
let
  inherit (builtins)
    elemAt
    listToAttrs
    concatStringsSep
    toJSON
    stringLength
    substring
    ;
  inherit (import ../functions.nix) imap dirName escape;
  units = import ./plan-units.nix { inherit execute inner goroot; };
  inherit (units)
    token
    unit
    derive
    ;
  # A string in JSON, without the quotes around it.
  quoteless =
    s:
    let
      text = toJSON s;
    in
    substring 1 (stringLength text - 2) text;
  storeName = import ./store-name.nix;

  # The environment of Go's tools: a JSON list without its brackets.
  toolEnv = substring 1 (stringLength plan.settings.toolEnv - 2) plan.settings.toolEnv;

  # The two parts of a package's key, ALIAS:PATH. The path is the one below the module.
  parts = key: builtins.match "([^:]*):(.*)" key;
  moduleOf =
    key:
    let
      alias = builtins.head (builtins.match "\\^?(.*)" (builtins.head (parts key)));
    in
    if alias == "" then null else plan.modules.${alias};
  relOf = key: plan.unescape (elemAt (parts key) 1);
  nameOf = builtins.mapAttrs (
    key: _:
    let
      module = moduleOf key;
      rel = relOf key;
    in
    if module == null then
      rel
    else if rel == "" then
      module.path
    else
      "${module.path}/${rel}"
  ) plan.packages // builtins.mapAttrs (key: _: plan.unescape key) plan.std;
  # The import path that the compiler and the linker get: the name of a package that is recompiled for a test is
  # `p [p.test]`.
  importPath = name: builtins.head (builtins.match "([^ ]*).*" name);

  sourcesOf = import ./plan-sources.nix {
    inherit src;
    inherit (plan) existing;
    modules = trees;
  };
  listed =
    name: options:
    (if options ? y then sourcesOf.copied else (sources: sources)) (
      sourcesOf.listed name (plan.trees options.t)
    );

  importConfig =
    imports: concatStringsSep "" (imap (i: key: "packagefile ${escape (importPath nameOf.${key})}=\${R${toString i}}\n") imports);

  packages = import ./plan-packages.nix {
    inherit
      plan
      nameOf
      moduleOf
      relOf
      importPath
      importConfig
      quoteless
      tools
      toolEnv
      sourcesOf
      listed
      ;
  };

  # Where the archive and the export data of a package are: in which derivation (`drv`, with an identifier), output and
  # file of the output ("" for the output itself). A package that shares a derivation also has the `group`, and one of a
  # main module the symlink to its archive beside those of the others (`together`).
  placeOf = builtins.mapAttrs (
    key: s: {
      id = "part ${s.part}";
      drv = stdParts.${s.part};
      archive = {
        output = "out";
        path = "${nameOf.${key}}@.a";
      };
      export = {
        output = "x";
        path = "${nameOf.${key}}@.x";
      };
    }
  ) plan.std // groupPlaces // singlePlaces // partPlaces;
  # The places of a package that has a derivation of its own.
  alone = id: drv: {
    inherit id drv;
    archive = {
      output = "out";
      path = "";
    };
    export = {
      output = "x";
      path = "";
    };
  };
  singlePlaces = builtins.mapAttrs (key: p: alone "package ${key}" (single p)) (
    removeAttrs packages (builtins.attrNames groupPlaces)
  );
  # The places of the parts that graph.Apart divides packages with C into.
  partPlaces = builtins.mapAttrs (key: n: alone key (part key n)) plan.nodes;
  groupPlaces = import ./plan-groups.nix {
    inherit
      moduleOf
      importPath
      derive
      packageUnit
      ;
  } (builtins.filter (p: p.group != null) (builtins.attrValues packages));

  # The derivation's output and the file of it that an output of a node is: drvgen.place.
  fileOf =
    place: output:
    if output == "export" || output == "go" then
      place.export
    else if output == "header" || substring 0 4 output == "tree" then
      {
        output = if output == "header" then "h" else "t${substring 4 (-1) output}";
        path = "";
      }
    else
      place.archive;

  # The unit that compiles a package: see plan-units.nix. `inside` has the places of the packages of the same derivation.
  packageUnit =
    inside: p:
    let
      place = inside.${p.key} or placeOf.${p.key};
      refs = map (reference inside) (
        map (key: {
          inherit key;
          output = "export";
        }) p.imports
        ++ p.others
      );
      dirs = builtins.filter (d: d != null) (
        map (file: if file.path == "" then null else dirName (token file)) [
          place.archive
          place.export
        ]
      );
    in
    unit {
      inherit (p) name steps;
      inherit refs dirs;
      inherit (p) sources;
      symlinks =
        if place ? together then
          [
            {
              at = place.together;
              from = place.archive;
            }
          ]
        else
          [ ];
      vars = {
        ARCHIVE = token place.archive;
        EXPORT = token place.export;
      };
      inherit (compilerOf p.options) env compilers;
    };
  reference = inside: ref: {
    inner = inside.${ref.key} or null;
    place = placeOf.${ref.key};
    file = fileOf placeOf.${ref.key} ref.output;
  };

  # The environment and the probe for a unit with C: option c=1, or c=2 for one that runs no C compiler itself.
  compilerOf = options: {
    env = if options ? c then "CGOENV" else null;
    compilers = if options.c or "" == "1" then "COMPILERS" else null;
    vars = {
      GOROOT = goroot;
    }
    // (if options ? c then { CGOENV = "${inputs.cgoEnv}"; } else { })
    // (if options.c or "" == "1" then { COMPILERS = "${inputs.compilers}"; } else { });
  };

  # The derivation of a part of a package with C.
  part =
    key: n:
    let
      words = builtins.match "([^!]*)!([^!]*)!(.*)" key;
      kind = elemAt words 0;
      name = importPath nameOf.${elemAt words 1};
      trees = builtins.genList toString (builtins.fromJSON (n.options.T or "0"));
      made = {
        objects.FILE = "out";
        cgo = {
          CFILES = "out";
          GOFILES = "x";
          HEADER = "h";
        };
        ask = { };
      }
      .${kind}
      // listToAttrs (
        map (i: {
          name = "TREE${i}";
          value = "t${i}";
        }) trees
      );
      compiler = compilerOf n.options;
    in
    derive {
      name = storeName "${name}-${kind}-${plan.unescape (elemAt words 2)}";
      outputs = {
        objects = [ "out" ];
        cgo = [
          "out"
          "x"
          "h"
        ];
        ask = [ ];
      }
      .${kind}
      ++ map (i: "t${i}") trees;
      inherit (compiler) vars;
      units = [
        (unit {
          inherit name;
          inherit (compiler) env compilers;
          steps = builtins.replaceStrings [ "@TOOLS@" "@ENV@" ] [ tools toolEnv ] plan.templates.${n.template};
          refs = map (reference { }) n.refs;
          dirs = map (output: "\${${output}}") (builtins.attrValues made);
          sources = if n.options ? t then listed name n.options else sourcesOf.none;
          vars = builtins.mapAttrs (_: output: "\${${output}}") made;
        })
      ];
    };

  goroot = if inputs.goroot == "." then "${inputs.go}" else "${inputs.go}/${inputs.goroot}";

  single =
    p:
    derive {
      name = storeName p.name;
      outputs = [
        "out"
        "x"
      ];
      inherit (compilerOf p.options) vars;
      units = [ (packageUnit { } p) ];
    };

  stdParts = builtins.mapAttrs (
    name: part:
    execute inner {
      inherit name;
      inherit (part) outputs;
      specFile = "${inputs.stdSpecs}/${name}";
      vars = builtins.mapAttrs (
        _: v:
        let
          other = builtins.match "!(.*)!(.*)" v;
        in
        if v == "go" then
          goroot
        else if other == null then
          "${inputs.${v}}"
        else
          stdParts.${builtins.head other}.${elemAt other 1}
      ) part.vars;
    }
  ) plan.parts;
  fillIn = builtins.replaceStrings (imap (i: _: "=_dgd_value_${toString i}_") values) (
    map (v: "=${quoteless (escape v)}") values
  );

  # The derivation in which the go command builds the programs, in place of derivations of packages.
  byGo =
    let
      node = plan.byGo;
      names = {
        go = "GO";
        modCache = "MODCACHE";
        userEnv = "USERENV";
      };
      # There is no userEnv if the user gives no inputs.
      given = builtins.filter (name: name != "userEnv" || inputs ? userEnv) node.inputs;
      isCross = tools != builtins.replaceStrings [ "/" ] [ "_" ] target;
      target = builtins.fromJSON plan.settings.target;
    in
    derive {
      name = "program";
      outputs = [ "out" ];
      vars = {
        GOROOT = goroot;
      }
      // listToAttrs (
        map (name: {
          name = names.${name};
          value = "${inputs.${name}}";
        }) given
      );
      units = [
        (unit {
          inherit (node) name;
          steps = fillIn (
            builtins.replaceStrings [ "@BIN@" "@TOOLS@" "@ENV@" ] [
              "\${OBJ}/gopath/bin${if isCross then "/${builtins.replaceStrings [ "/" ] [ "_" ] target}" else ""}"
              tools
              toolEnv
            ] plan.templates.${node.template}
          );
          refs = [ ];
          dirs = [ ];
          sources = listed node.name node.options;
          vars = { };
          env = if builtins.elem "userEnv" given then "USERENV" else null;
        })
      ];
    };

  linked = import ./plan-links.nix {
    inherit
      plan
      inputs
      fillIn
      libraries
      units
      goroot
      packages
      nameOf
      placeOf
      importConfig
      quoteless
      tools
      toolEnv
      sourcesOf
      ;
  };
in
{
  program = if plan.byGo != null then byGo else linked.program;
  # The derivations that run tests: see plan-tests.nix. Their graph is the program's with further packages and links.
  tests =
    if plan ? isOfTests then
      import ./plan-tests.nix {
        inherit
          plan
          inputs
          units
          goroot
          listed
          quoteless
          nameOf
          placeOf
          ;
        inherit (linked) links;
      }
    else
      (import ./generate.nix { inherit execute; } (
        args
        // {
          inputs = testInputs;
          plan = plan // {
            isOfTests = true;
            packages = plan.packages // plan.testPackages;
            nodes = plan.nodes // plan.testNodes;
            links = plan.testLinks;
          };
        }
      )).tests;
}
