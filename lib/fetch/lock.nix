# Reads a dgd.lock, and compares it with the texts of the go.mod, go.work and go.sum of the sources, without fetching
# anything. internal/lock writes locks and makes the same comparison; internal/lock/testdata/check.json tests both.
let
  modFiles = import ./mod-files.nix;
  lower = import ./semver.nix;

  isHash = v: builtins.isString v && builtins.match "sha256-[A-Za-z0-9+/]{43}=" v != null;
  isSum = v: builtins.isString v && builtins.match "h1:[A-Za-z0-9+/]{43}=" v != null;
  isVersion = v: builtins.isString v && builtins.match "v[0-9A-Za-z.+-]+" v != null;
  isPath = v: builtins.isString v && builtins.match "[A-Za-z0-9._~][A-Za-z0-9._~/+!-]*" v != null;
  only = names: v: builtins.isAttrs v && removeAttrs v names == { };

  # An error message if an entry of `modules` is not valid, or null.
  fault =
    m:
    let
      of = "module ${if isPath (m.path or null) then m.path else builtins.toJSON m}";
    in
    if
      !only [
        "path"
        "version"
        "replace"
        "sum"
        "hash"
      ] m
      || !isPath (m.path or null)
      || !isVersion (m.version or null)
    then
      "${of} has no path and version, or has unknown keys"
    else if
      m ? replace
      && !(
        only [
          "path"
          "version"
        ] m.replace
        && isPath (m.replace.path or null)
        && isVersion (m.replace.version or null)
      )
    then
      "the replacement of ${of} is not a path with a version"
    else if m ? sum != m ? hash then
      "${of} has one of `sum` and `hash` without the other"
    else if m ? sum && !isSum m.sum then
      "the sum of ${of} is ${builtins.toJSON m.sum}, which is not one of go.sum"
    else if m ? hash && !isHash m.hash then
      "the hash of ${of} is ${builtins.toJSON m.hash}, which is not a sha256 in Nix's form"
    else
      null;

  sorted = builtins.sort builtins.lessThan;

  # A module path that occurs twice, or null.
  twice =
    modules:
    let
      more = builtins.filter (list: builtins.length list > 1) (
        builtins.attrValues (builtins.groupBy (m: m.path) modules)
      );
    in
    if more == [ ] then null else (builtins.head (builtins.head more)).path;

  mend = file: "run `dgd lock` in ${toString (dirOf file)}";
in
{
  inherit mend;

  # The lock in a file, as the attribute set that the JSON is. `fail` gets an error message.
  read =
    fail: file:
    let
      text = builtins.readFile file;
      damaged = what: fail "${toString file} is damaged: ${what}; ${mend file}";
      # Nix's error message for invalid JSON does not name the file.
      lock = builtins.addErrorContext "dgd: the lock ${toString file} is damaged: ${mend file}" (builtins.fromJSON text);
      faults = builtins.filter (f: f != null) (map fault lock.modules);
      goMods = lock.goMods or null;
    in
    if !builtins.pathExists file then
      fail "`modules` names ${toString file}, which does not exist: run `dgd lock` beside go.mod, or beside go.work"
    else if builtins.substring 0 1 text != "{" || builtins.substring (builtins.stringLength text - 2) (-1) text != "}\n" then
      damaged "it is not as `dgd lock` writes it"
    else if !(lock ? version) || !builtins.isInt lock.version then
      damaged "it has no `version`"
    else if lock.version != 1 then
      fail "${toString file} has format version ${toString lock.version}, and this dgd knows 1: ${
        if lock.version > 1 then "use a newer dgd, or " else ""
      }${mend file}"
    else if
      !only [
        "version"
        "main"
        "modules"
        "goMods"
      ] lock
    then
      damaged "it has unknown keys"
    else if !builtins.isList (lock.main or null) || !builtins.all isPath lock.main || lock.main == [ ] then
      damaged "`main` is not a list of module paths"
    else if !builtins.isList (lock.modules or null) then
      damaged "`modules` is not a list"
    else if faults != [ ] then
      damaged (builtins.head faults)
    else if twice lock.modules != null then
      damaged "module ${twice lock.modules} is listed twice"
    else if
      goMods != null
      && !(
        only [
          "hash"
          "modules"
        ] goMods
        && isHash (goMods.hash or null)
        && builtins.isList (goMods.modules or null)
        && builtins.all (v: builtins.isString v && builtins.match "[^@]+@v[^@]+" v != null) goMods.modules
      )
    then
      damaged "`goMods` is not a hash with a list of PATH@VERSION"
    else
      lock;

  # The modules in which a lock and a project (see mod-files.nix) differ, as a list of lines.
  check =
    project: lock:
    let
      inherit (modFiles) named;
      requires = builtins.concatMap (named "require") project.mods;
      main = sorted (map builtins.head (builtins.concatMap (named "module") project.mods));
      inherit (builtins) head elemAt;

      # By path: the highest version that a go.mod requires.
      required = removeAttrs (builtins.mapAttrs (
        _: list:
        builtins.foldl' (
          high: line: if high == null || lower high (elemAt line 1) then elemAt line 1 else high
        ) null list
      ) (builtins.groupBy head requires)) main;
      # From go 1.17 on, go.mod has the selected version of every module that is needed. In an older one, or in a workspace,
      # the required version may be lower than the selected one.
      complete =
        !project.isWork
        && builtins.all (
          mod:
          let
            go = named "go" mod;
          in
          go != [ ] && builtins.compareVersions (head (head go)) "1.17" >= 0
        ) project.mods;

      # go.work takes precedence over go.mod, and in a file a replacement of one version over one of all versions.
      replaced = map (list: builtins.listToAttrs (modFiles.replaces list)) (
        (if project.isWork then [ project.work ] else [ ]) ++ project.mods
      );
      replacement =
        path: version:
        let
          found = builtins.concatMap (
            r: if r ? "${path} ${version}" then [ r."${path} ${version}" ] else if r ? ${path} then [ r.${path} ] else [ ]
          ) replaced;
        in
        if found == [ ] then null else head found;
      show =
        by:
        if by == null then
          "nothing"
        else if by.version == "" then
          by.path
        else
          "${by.path} ${by.version}";

      # The lines of the go.sum files, by "PATH VERSION".
      sums = builtins.groupBy (line: "${head line} ${elemAt line 1}") (
        builtins.filter (line: builtins.length line == 3) (
          builtins.concatMap (file: map modFiles.words (modFiles.lines (builtins.readFile file))) project.sums
        )
      );

      locked = builtins.listToAttrs (
        map (m: {
          name = m.path;
          value = m;
        }) lock.modules
      );
      line =
        path:
        let
          m = locked.${path} or null;
          wants = required.${path} or null;
          selected =
            if m != null && !complete && (wants == null || lower wants m.version) then m.version else wants;
          by = replacement path (if selected == null then "" else selected);
          source = m.replace or m;
          known = sums."${source.path} ${source.version}" or [ ];
        in
        if m == null && by != null && by.version == "" then
          null
        else if m == null then
          "missing: go.mod requires ${wants}"
        else if wants == null && (complete || !(m ? hash)) then
          "superfluous: go.mod does not require it"
        else if m.version != selected then
          "stale: go.mod requires ${wants}, dgd.lock has ${m.version}"
        else if m.replace or null != by then
          "stale: go.mod replaces it by ${show by}, dgd.lock has ${show (m.replace or null)}"
        else if !(m ? hash) then
          null
        else if known == [ ] then
          "superfluous: go.sum does not have ${source.version}"
        else if !builtins.any (l: elemAt l 2 == m.sum) known then
          "stale: go.sum has ${elemAt (head known) 2}, dgd.lock has ${m.sum}"
        else
          null;
      found = map (path: { inherit path; line = line path; }) (builtins.attrNames (required // locked));
    in
    if sorted lock.main != main then
      [
        "main: stale: go.mod is of ${builtins.concatStringsSep ", " main}, dgd.lock is of ${builtins.concatStringsSep ", " (sorted lock.main)}"
      ]
    else
      map (f: "${f.path}: ${f.line}") (builtins.filter (f: f.line != null) found);
}
