# Units of the executor and derivations of these, to the letter as internal/drvgen writes them (drvgen/unit.go).
{
  execute,
  inner, # see inner.nix
  goroot, # what GOROOT stands for
}:
let
  inherit (builtins)
    listToAttrs
    concatStringsSep
    toJSON
    ;
  inherit (import ./plan-functions.nix)
    imap
    setOf
    dirName
    escape
    ;
  # The elements of a list of strings, sorted, each once.
  sorted = list: builtins.attrNames (setOf list);
in
rec {
  # A file of an output, where base stands for the output.
  below = file: base: if file.path == "" then base else "${base}/${escape file.path}";
  token = file: below file "\${${file.output}}";

  # A unit before its variables have names: `values` is what it refers to in other derivations, in order, and `text` a
  # function of the names of these.
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
          ) sources.trees;
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
}
