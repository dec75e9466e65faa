# Units of the executor, and derivations of units, byte for byte as internal/drvgen writes them (drvgen/unit.go).
{
  execute,
  inner, # see inner.nix
  goroot, # the value of GOROOT
}:
let
  inherit (builtins)
    listToAttrs
    concatStringsSep
    toJSON
    ;
  inherit (import ../functions.nix)
    imap
    setOf
    dirName
    escape
    ;
  # A list of strings, sorted and without duplicates.
  sorted = list: builtins.attrNames (setOf list);
in
rec {
  # The path of a file in an output whose path is `base`.
  below = file: base: if file.path == "" then base else "${base}/${escape file.path}";
  token = file: below file "\${${file.output}}";

  # A unit before its variables have names: `values` lists the outputs and trees that it refers to, and `text` is its JSON
  # as a function that gets the name of the variable for each of them.
  unit =
    {
      name,
      steps,
      refs,
      dirs,
      sources,
      vars,
      symlinks ? [ ], # in outputs: files, each `at` the place of another one `from`
      env ? null,
      compilers ? null,
    }:
    let
      outer = builtins.filter (r: r.inner == null) refs;
      needs =
        builtins.sort builtins.lessThan (
          map builtins.fromJSON (
            sorted (map (r: toString r.inner.unit) (builtins.filter (r: r.inner != null) refs))
          )
        );
      allDirs = sorted (dirs ++ map (f: dirName f.path) sources.files);
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
          ) sources.trees
          ++ map (l: ''{"at":${toJSON (token l.at)},"from":${toJSON (token l.from)}}'') symlinks;
        in
        "{"
        + (if compilers == null then "" else ''"compilers":"''${${compilers}}",'')
        + (if env == null then "" else ''"env":"''${${env}}",'')
        + ''"name":${toJSON name}''
        + (if needs == [ ] then "" else '',"needs":${toJSON needs}'')
        + (if placed == [ ] then "" else '',"sources":[${concatStringsSep "," placed}]'')
        + '',"steps":[${concatStringsSep "," all}]''
        + (if vars == { } && refs == [ ] then "" else '',"vars":${toJSON (vars // listToAttrs tokens)}'')
        + "}";
    };

  # The derivation of a list of units. A variable is named by how many references the derivation has before it.
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
}
