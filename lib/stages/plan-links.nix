# The programs of a plan in a file, and the derivation that joins several programs: drvgen/collect.go and drvgen.join.
{
  plan, # see plan-file.nix
  inputs, # the inputs of the build, see planning.nix
  fillIn, # replaces the placeholders of the values of -X in a text
  libraries, # whether there may be packages that no program needs
  units, # see plan-units.nix
  goroot, # the value of GOROOT
  packages, # see plan-packages.nix, by key
  nameOf, # import paths, by key
  placeOf, # where the archives and export data of packages are, by key: see generate.nix
  importConfig, # the import config for a list of keys
  quoteless, # a string in JSON, without the quotes around it
  tools, # GOHOSTOS_GOHOSTARCH
  toolEnv, # the environment of Go's tools
  sourcesOf, # see plan-sources.nix
}:
let
  inherit (builtins)
    length
    listToAttrs
    concatStringsSep
    toJSON
    substring
    ;
  inherit (units)
    below
    token
    unit
    derive
    ;
  inherit (import ../functions.nix) imap setOf escape;
  isStd = key: plan.std ? ${key};
  storeName = import ./store-name.nix;

  # The derivation that links a program.
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
      places = placesOf linked;
      refs = map (key: {
        inner = null;
        place = places.${key};
        file = places.${key}.archive;
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
                "@PROGRAM@"
                "@TOOLS@"
                "@ENV@"
              ]
              [
                (quoteless (importConfig linked))
                "\${R${toString mainAt}}"
                (quoteless (escape name))
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

  # Where a link finds the archives, by key: placesOf is drvgen.generator.collect, whole group.Whole, and sets
  # group.Collections.
  placesOf =
    linked:
    let
      direct = listToAttrs (
        map (key: {
          name = key;
          value = placeOf.${key};
        }) linked
      );
      isWhole = place: builtins.all (key: direct ? ${key}) place.group;
      whole = builtins.mapAttrs (
        _: place: if place ? together && isWhole place then place // { archive = place.together; } else place
      ) direct;
      # true for a package of the main module, false for one of another module, null for one of the standard library
      own = key: if isStd key then null else packages.${key}.own;
      inherit (builtins.partition (key: own key == true) linked) right wrong;
      vendored = builtins.filter (key: own key == false) wrong;
      first = key: builtins.head (placeOf.${key}.group or [ key ]);
      bucket = key: substring 0 1 (builtins.hashString "sha256" nameOf.${first key});
      sets =
        (if length vendored >= 16 then [ wrong ] else [ ])
        ++ (if length right > 128 then builtins.attrValues (builtins.groupBy bucket right) else [ ]);
    in
    builtins.foldl' (places: set: places // collection whole set) whole sets;

  # The derivation with symlinks to the archives of packages, as their places. Places has the archives.
  collection =
    places: keys:
    let
      file = key: {
        output = "out";
        path = "${nameOf.${key}}@.a";
      };
      idOf = key: "${places.${key}.id}!${places.${key}.archive.output}";
      refs = map (key: {
        id = idOf key;
        value = places.${key}.drv.${places.${key}.archive.output};
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
                    toJSON (below places.${key}.archive "\${${variable (idOf key)}}")
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
  # The packages that another package or a program needs, and those that none needs.
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
  isLast = !(plan ? isOfTests) && length linkKeys == 1 && unused == [ ];

  # The derivation with all programs. It depends on the packages that no program needs, so that these have to compile.
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
  inherit links;
  program = if isLast then links.${builtins.head linkKeys} else joined;
}
