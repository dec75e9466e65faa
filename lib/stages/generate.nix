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
          ]
          [
            (concatStringsSep "," (map (f: ''"${quoteless "${dir}/${escape f}"}"'') p.files))
            (quoteless (importConfig p.imports))
            (quoteless "${dir}=>${escape as}")
            (quoteless (escape name))
            (p.options.l or module.lang)
            (quoteless (p.options.E or ""))
            tools
          ]
          plan.templates.${p.template};
      group = if p.options ? g then builtins.match "([0-9]+)[.]([0-9]+)" p.options.g else null;
      sources =
        if isOwn then
          own {
            inherit name at;
            inherit (p) files;
            more = plan.listOf (p.options.e or "-");
          }
        else
          {
            files = [ ];
            trees = [
              {
                at = "\${SRC}/vendor/${escape module.dir}";
                tree = trees.${module.dir};
              }
            ];
          };
    };

  importConfig =
    imports: concatStringsSep "" (imap (i: key: "packagefile ${escape nameOf.${key}}=\${R${toString i}}\n") imports);

  # The files of a package of the sources: small ones are a part of its derivation, as stage.texts says.
  maxTexts = 16384;
  own =
    {
      name,
      at,
      files,
      more,
    }:
    let
      base = if at == "." then src else src + "/${at}";
      token = if at == "." then "\${SRC}" else "\${SRC}/${escape at}";
      texts = map (f: {
        name = f;
        text = builtins.readFile (base + "/${f}");
      }) (builtins.sort builtins.lessThan files);
      isGo = more == [ ] && builtins.all (f: builtins.match ".*[.]go" f != null) files;
      fits =
        isGo
        && builtins.foldl' (size: t: if size > maxTexts then size else size + stringLength t.text) 0 texts <= maxTexts
        && builtins.all (t: !(hasPlaceholder t.text)) texts;
      wanted = setOf (files ++ more ++ builtins.concatMap above more);
      # The directories that a file is in.
      above =
        f:
        let
          dir = builtins.match "(.*)/[^/]*" f;
        in
        if dir == null then [ ] else dir ++ above (builtins.head dir);
      prefix = stringLength (toString base) + 1;
    in
    if fits then
      {
        files = map (t: t // { path = "${token}/${escape t.name}"; }) texts;
        trees = [ ];
      }
    else
      {
        files = [ ];
        trees = [
          {
            at = token;
            tree = builtins.path {
              path = base;
              name = storeName name;
              filter = path: _: wanted ? ${substring prefix (-1) path};
            };
          }
        ];
      };
  # Whether Nix might put a store path in the place of something in a text.
  hasPlaceholder = text: builtins.length (builtins.split "/[0-9a-z]{52}" text) > 1;

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
  ) plan.std // groupPlaces // singlePlaces;
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

  # A unit before its variables have names: what it refers to in other derivations, in order; and its text, a function of
  # the names of these.
  packageUnit =
    inside: p:
    let
      place = inside.${p.key} or placeOf.${p.key};
      refs = map (key: {
        inner = inside.${key} or null;
        place = placeOf.${key};
        file = placeOf.${key}.export;
      }) p.imports;
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
      env = null;
    };

  unit =
    {
      name,
      steps,
      refs,
      dirs,
      sources,
      vars,
      env,
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
            ''{"at":${toJSON t.at},"from":"''${${variable (builtins.unsafeDiscardStringContext "${t.tree}")}}"}''
          ) sources.trees;
        in
        "{"
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
              ]
              [
                (quoteless (importConfig linked))
                "\${R${toString mainAt}}"
                tools
              ]
              plan.templates.${l.template}
          );
          dirs = [ "\${out}/bin" ];
          sources = {
            files = [ ];
            trees = [ ];
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
