# The packages of a plan in a file, by key, with their steps and sources.
{
  plan, # see plan-file.nix
  nameOf, # import paths, by key
  moduleOf, # the module of a key
  relOf, # the path of a key below its module
  importPath, # the import path that tools get, for a package's name
  importConfig, # the import config for a list of keys
  quoteless, # a string in JSON, without the quotes around it
  tools, # GOHOSTOS_GOHOSTARCH
  toolEnv, # the environment of Go's tools
  sourcesOf, # see plan-sources.nix
  listed, # the sources that options list, for a name of the trees
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
  inherit (import ../functions.nix) imap escape;

  package =
    key: p:
    let
      module = moduleOf key;
      rel = importPath (relOf key);
      name = nameOf.${key};
      isOwn = p.options ? s;
      at = if isOwn then p.options.s else "vendor/${module.dir}" + (if rel == "" then "" else "/${rel}");
      dir = if at == "." then "\${SRC}" else "\${SRC}/${escape at}";
      as =
        if isOwn || module.version == "" then
          importPath name
        else
          module.path + module.version + (if rel == "" then "" else "/${rel}");
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
            (quoteless (escape (importPath name)))
            (p.options.l or module.lang)
            (quoteless (if p.options ? P then embedConfig dir p.options.P else p.options.E or ""))
            tools
            toolEnv
            (quoteless dir)
          ]
          plan.templates.${p.template};
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
      inherit (p) options group;
    };

  # The embed config of the compiler. All embedded files are below the package's directory.
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

  # The main package of a test program, which the go command generates.
  testMain =
    key: p:
    let
      name = nameOf.${key};
      runs = map (
        run:
        concatStringsSep "" (
          map (
            test:
            let
              words = builtins.match "([^.]*)[.](.*)" test;
            in
            quoteless "\t{\"${elemAt words 1}\", ${test}},\n"
          ) (plan.listOf run)
        )
      ) (plan.splitOn ";" p.options.m);
      texts = plan.splitOn "@TESTS@" (
        builtins.replaceStrings
          [
            "@IMPORTS@"
            "@OF@"
            "@TOOLS@"
            "@ENV@"
          ]
          [
            (quoteless (importConfig p.imports))
            (quoteless (escape (substring 0 (stringLength name - 5) name)))
            tools
            toolEnv
          ]
          plan.templates.${p.template}
      );
    in
    {
      inherit key name;
      inherit (p) imports options group;
      own = null; # of no sources
      others = [ ];
      sources = sourcesOf.none;
      steps = concatStringsSep "" (
        imap (i: text: if i == 0 then text else elemAt runs (i - 1) + text) texts
      );
    };
in
builtins.mapAttrs (key: p: (if p.options ? m then testMain else package) key p) plan.packages
