# The derivations of a plan in a file. They are those that internal/drvgen makes of the same graph, to the letter: both
# modes build the same packages.
{ execute }:
{
  plan, # what plan-file.nix has read
  src, # the sources, which evaluation can read
  trees, # of modules, by their places below a vendor directory
  inputs, # what the whole build has in common
  tools, # GOHOSTOS_GOHOSTARCH
  values, # what flags of the plan have stand-ins for
  libraries, # whether there may be packages that no program needs
  inner, # see inner.nix
  fail,
}:
let
  inherit (builtins)
    elemAt
    length
    listToAttrs
    concatStringsSep
    toJSON
    stringLength
    substring
    ;
  imap = f: list: builtins.genList (i: f i (elemAt list i)) (length list);
  setOf = list: listToAttrs (map (name: { inherit name; value = null; }) list);
  isIn = set: name: set ? ${name};
  dirName = p: builtins.head (builtins.match "(.*)/[^/]*" p);
  escape = builtins.replaceStrings [ "$" ] [ "$$" ];
  # A string as it stands between the quotes of JSON.
  quoteless =
    s:
    let
      text = toJSON s;
    in
    substring 1 (stringLength text - 2) text;
  storeName = import ./store-name.nix;

  # What Go's tools have in their environment, without the brackets of the list.
  toolEnv = substring 1 (stringLength plan.settings.toolEnv - 2) plan.settings.toolEnv;

  # What a key of the plan stands for.
  isStd = isIn plan.std;
  parts = key: builtins.match "([^:]*):(.*)" key;
  moduleOf =
    key:
    let
      alias = builtins.head (parts key);
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

  package =
    key: p:
    let
      module = moduleOf key;
      rel = relOf key;
      name = nameOf.${key};
      isOwn = p.options ? s;
      at = if isOwn then p.options.s else "vendor/${module.dir}" + (if rel == "" then "" else "/${rel}");
      dir = if at == "." then "\${SRC}" else "\${SRC}/${escape at}";
      version = if isOwn then null else builtins.match "[^@]*(@.*)" module.dir;
      as =
        if version == null then
          name
        else
          module.path + builtins.head version + (if rel == "" then "" else "/${rel}");
    in
    {
      inherit key name;
      imports = p.imports;
      own = isOwn;
      steps =
        builtins.replaceStrings
          [
            "@FILES@"
            "@IMPORTS@"
            "@TRIM@"
            "@NAME@"
            "@LANG@"
            "@EMBED@"
            "@TOOLS@"
            "@ENV@"
            "@DIR@"
          ]
          [
            (concatStringsSep "," (map (f: ''"${quoteless "${dir}/${escape f}"}"'') p.files))
            (quoteless (importConfig p.imports))
            (quoteless "${dir}=>${escape as}")
            (quoteless (escape name))
            (p.options.l or module.lang)
            (quoteless (if p.options ? P then embedConfig dir p.options.P else p.options.E or ""))
            tools
            toolEnv
            (quoteless dir)
          ]
          plan.templates.${p.template};
      group = if p.options ? g then builtins.match "([0-9]+)[.]([0-9]+)" p.options.g else null;
      others = map plan.ref (plan.keysOf (p.options.r or "-"));
      sources =
        if p.options ? t then
          listed name p.options
        else if isOwn then
          sourcesOf.own {
            inherit name at;
            inherit (p) files;
            more = plan.listOf (p.options.e or "-");
          }
        else
          sourcesOf.module module.dir;
      inherit (p) options;
    };
  sourcesOf = import ./plan-sources.nix {
    inherit src;
    modules = trees;
  };
  listed =
    name: options:
    (if options ? y then sourcesOf.copied else (sources: sources)) (
      sourcesOf.listed name (plan.trees options.t)
    );

  # What the compiler is told of embedded files, which are all in the package's directory.
  embedConfig =
    dir: text:
    let
      patterns = plan.patterns text;
      files = listToAttrs (
        map (name: {
          inherit name;
          value = "${dir}/${name}";
        }) (builtins.concatMap (p: p.value) patterns)
      );
    in
    ''{"Patterns":${toJSON (listToAttrs patterns)},"Files":${toJSON files}}'';

  importConfig =
    imports: concatStringsSep "" (imap (i: key: "packagefile ${escape nameOf.${key}}=\${R${toString i}}\n") imports);

  packages = builtins.mapAttrs package plan.packages;

  # Groups of packages of a module that share a derivation, by a name of their own.
  groupName =
    p:
    if p.group == null then
      null
    else
      "${builtins.head (parts p.key)}:${builtins.head p.group}";
  pad = s: substring (stringLength s) 4 "0000" + s;
  groups = builtins.mapAttrs (
    _: list:
    builtins.sort (
      a: b:
      let
        level = p: pad (elemAt p.group 1);
      in
      level a < level b || level a == level b && a.name < b.name
    ) list
  ) (builtins.groupBy groupName (builtins.filter (p: p.group != null) (builtins.attrValues packages)));

  # Where the outputs of a package are: `drv` with its name, an output of it, and a file in that or "".
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
  singlePlaces = builtins.mapAttrs (key: p: {
    id = "package ${key}";
    drv = single p;
    archive = {
      output = "out";
      path = "";
    };
    export = {
      output = "x";
      path = "";
    };
  }) (listToAttrs (builtins.concatMap (p: if p.group == null then [ { name = p.key; value = p; } ] else [ ]) (builtins.attrValues packages)));
  # What graph.Apart makes of a package with C.
  partPlaces = builtins.mapAttrs (key: n: {
    id = key;
    drv = part key n;
    archive = {
      output = "out";
      path = "";
    };
    export = {
      output = "x";
      path = "";
    };
  }) plan.nodes;
  groupPlaces = listToAttrs (
    builtins.concatLists (
      builtins.attrValues (
        builtins.mapAttrs (
          name: list:
          let
            drv = derive {
              name = storeName (moduleOf (builtins.head list).key).path;
              outputs = [ "out" ] ++ imap (i: _: "x${toString i}") list;
              units = map (packageUnit place) list;
            };
            place = setOf' list;
            setOf' =
              list:
              listToAttrs (
                imap (i: p: {
                  name = p.key;
                  value = {
                    id = "group ${name}";
                    inherit drv;
                    unit = i;
                    archive = {
                      output = "out";
                      path = "${p.name}@.a";
                    };
                    export = {
                      output = "x${toString i}";
                      path = "";
                    };
                  };
                }) list
              );
          in
          builtins.attrValues (builtins.mapAttrs (key: value: { name = key; inherit value; }) place)
        ) groups
      )
    )
  );

  # A file of an output, where base stands for the output.
  below = file: base: if file.path == "" then base else "${base}/${escape file.path}";
  token = file: below file "\${${file.output}}";

  # Where an output of a node is: as drvgen.place says it.
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

  # A unit before its variables have names: what it refers to in other derivations, in order; and its text, a function of
  # the names of these.
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

  # What a unit with C has: c=1, or c=2 where it runs no C compiler by itself.
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
      name = nameOf.${elemAt words 1};
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

  unit =
    {
      name,
      steps,
      refs,
      dirs,
      sources,
      vars,
      env ? null,
      compilers ? null,
    }:
    let
      outer = builtins.filter (r: r.inner == null) refs;
      needs =
        let
          set = setOf (map (r: toString r.inner.unit) (builtins.filter (r: r.inner != null) refs));
        in
        builtins.sort builtins.lessThan (map builtins.fromJSON (builtins.attrNames set));
      allDirs = builtins.attrNames (setOf (dirs ++ map (f: dirName f.path) sources.files));
      all =
        map (d: ''{"mkdir":${toJSON d}}'') allDirs
        ++ map (f: ''{"write":{"path":${toJSON f.path},"text":${toJSON (escape f.text)}}}'') sources.files
        ++ (if steps == "" then [ ] else [ steps ]);
    in
    {
      values =
        map (r: {
          id = "${r.place.id}!${r.file.output}";
          value = r.place.drv.${r.file.output};
        }) outer
        ++ map (t: {
          id = builtins.unsafeDiscardStringContext "${t.tree}";
          value = "${t.tree}";
        }) sources.trees;
      inherit env;
      text =
        variable:
        let
          tokens = imap (i: r: {
            name = "R${toString i}";
            value =
              if r.inner != null then
                token r.file
              else
                below r.file "\${${variable "${r.place.id}!${r.file.output}"}}";
          }) refs;
          placed = map (
            t:
            ''{"at":${toJSON t.at},${if t.copy or false then ''"copy":true,'' else ""}"from":"''${${variable (builtins.unsafeDiscardStringContext "${t.tree}")}}"}''
          ) sources.trees;
        in
        "{"
        + (if compilers == null then "" else ''"compilers":"''${${compilers}}",'')
        + (if env == null then "" else ''"env":"''${${env}}",'')
        + ''"name":${toJSON name}''
        + (if needs == [ ] then "" else '',"needs":${toJSON needs}'')
        + (if placed == [ ] then "" else '',"sources":[${concatStringsSep "," placed}]'')
        + '',"steps":[${concatStringsSep "," all}],"vars":${toJSON (vars // listToAttrs tokens)}}'';
    };

  # The derivation of some units. A variable has its name by how often the derivation has referred to anything before.
  derive =
    {
      name,
      outputs,
      units,
      vars ? {
        GOROOT = goroot;
      },
    }:
    let
      values = builtins.concatMap (u: u.values) units;
      index = listToAttrs (imap (i: v: { name = v.id; value = "V${toString i}"; }) values);
    in
    execute inner {
      inherit name outputs;
      spec = ''{"units":[${concatStringsSep "," (map (u: u.text (id: index.${id})) units)}]}'';
      vars =
        vars
        // listToAttrs (
          map (v: {
            name = index.${v.id};
            inherit (v) value;
          }) values
        );
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

  # A program.
  link =
    key: l:
    let
      closure = builtins.genericClosure {
        startSet = map (key: { inherit key; }) l.roots;
        operator = n: map (key: { inherit key; }) (importsOf n.key);
      };
      linked = builtins.sort (a: b: nameOf.${a} < nameOf.${b}) (map (n: n.key) closure);
      main = builtins.head l.roots;
      mainAt = indexIn linked main;
      collected = collect linked;
      refs = map (key: {
        inner = null;
        place = collected.${key} or placeOf.${key};
        file = (collected.${key} or placeOf.${key}).archive;
      }) linked;
      name = nameOf.${main};
    in
    derive {
      name = if isLast then "program" else storeName l.main;
      outputs = [ "out" ];
      vars =
        {
          GOROOT = goroot;
        }
        // (if l.options ? c then { CGOENV = "${inputs.linkEnv}"; } else { });
      units = [
        (unit {
          inherit name refs;
          steps = fillIn (
            builtins.replaceStrings
              [
                "@IMPORTS@"
                "@MAIN@"
                "@TOOLS@"
                "@ENV@"
              ]
              [
                (quoteless (importConfig linked))
                "\${R${toString mainAt}}"
                tools
                toolEnv
              ]
              plan.templates.${l.template}
          );
          dirs = [ "\${out}/bin" ];
          sources = sourcesOf.none // {
            trees = builtins.concatMap (key: (sourcesOf.copied packages.${key}.sources).trees) (
              plan.keysOf (l.options.L or "-")
            );
          };
          vars.PROGRAM = "\${out}/bin/${escape l.main}";
          env = if l.options ? c then "CGOENV" else null;
        })
      ];
    };
  importsOf = key: if isStd key then plan.std.${key}.imports else plan.packages.${key}.imports;
  indexIn =
    list: key:
    (listToAttrs (imap (i: k: { name = k; value = i; }) list)).${key};
  fillIn = builtins.replaceStrings (imap (i: _: "=_dgd_value_${toString i}_") values) (
    map (v: "=${quoteless (escape v)}") values
  );

  # As group.Collections: derivations between archives and the link.
  collect =
    linked:
    let
      others = builtins.filter (key: !(isStd key)) linked;
      vendored = builtins.filter (key: !packages.${key}.own) others;
      ours = builtins.filter (key: packages.${key}.own) others;
      quarter = {
        "0" = "0"; "1" = "1"; "2" = "2"; "3" = "3";
        "4" = "0"; "5" = "1"; "6" = "2"; "7" = "3";
        "8" = "0"; "9" = "1"; "a" = "2"; "b" = "3";
        "c" = "0"; "d" = "1"; "e" = "2"; "f" = "3";
      };
      bucket =
        key:
        let
          hash = builtins.hashString "sha256" nameOf.${key};
        in
        quarter.${substring 0 1 hash} + substring 1 1 hash;
      sets =
        (if length vendored >= 16 then [ vendored ] else [ ])
        ++ (if length ours > 128 then builtins.attrValues (builtins.groupBy bucket ours) else [ ]);
    in
    builtins.foldl' (places: set: places // collection set) { } sets;

  collection =
    keys:
    let
      file = key: {
        output = "out";
        path = "${nameOf.${key}}@.a";
      };
      refs = map (key: {
        id = "${placeOf.${key}.id}!out";
        value = placeOf.${key}.drv.out;
      }) keys;
      drv = derive {
        name = "archives";
        outputs = [ "out" ];
        vars = { };
        units = [
          {
            values = refs;
            text =
              variable:
              let
                sources = map (
                  key:
                  ''{"at":${toJSON (token (file key))},"from":${
                    toJSON (below placeOf.${key}.archive "\${${variable "${placeOf.${key}.id}!out"}}")
                  }}''
                ) keys;
              in
              ''{"name":"archives","sources":[${concatStringsSep "," sources}],"steps":[]}'';
          }
        ];
      };
      id = "archives ${builtins.concatStringsSep " " keys}";
    in
    listToAttrs (
      map (key: {
        name = key;
        value = {
          inherit drv id;
          archive = file key;
        };
      }) keys
    );

  links = builtins.mapAttrs link plan.links;
  linkKeys = builtins.sort (a: b: nameOfLink a < nameOfLink b) (builtins.attrNames links);
  nameOfLink = key: nameOf.${builtins.head plan.links.${key}.roots};
  # Packages that no program needs.
  imported = setOf (
    builtins.concatMap (p: p.imports) (builtins.attrValues plan.packages)
    ++ map (l: builtins.head l.roots) (builtins.attrValues plan.links)
  );
  unused =
    if libraries then
      builtins.sort (a: b: nameOf.${a} < nameOf.${b}) (
        builtins.filter (key: !(imported ? ${key})) (builtins.attrNames plan.packages)
      )
    else
      [ ];
  isLast = length linkKeys == 1 && unused == [ ];

  # All programs, where there are several, and what else must compile.
  joined = derive {
    name = "program";
    outputs = [ "out" ];
    vars = { };
    units = [
      {
        values =
          map (key: {
            id = "${placeOf.${key}.id}!${placeOf.${key}.export.output}";
            value = placeOf.${key}.drv.${placeOf.${key}.export.output};
          }) unused
          ++ map (key: {
            id = key;
            value = links.${key}.out;
          }) linkKeys;
        text =
          variable:
          let
            copies = map (
              key:
              let
                file = "/bin/${escape plan.links.${key}.main}";
              in
              ''{"copy":{"from":${toJSON "\${${variable key}}${file}"},"to":${toJSON "\${out}${file}"}}}''
            ) linkKeys;
            first = ''{"mkdir":"''${out}${if linkKeys == [ ] then "" else "/bin"}"}'';
          in
          ''{"name":"programs","steps":[${concatStringsSep "," ([ first ] ++ copies)}]}'';
      }
    ];
  };
in
{
  program = if isLast then links.${builtins.head linkKeys} else joined;
}
