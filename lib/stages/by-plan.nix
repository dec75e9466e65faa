# The linked programs, by a plan in a file (dgd.plan): the derivations are those of import from derivation, and evaluation
# builds nothing.
{
  planning,
  planner,
  execute,
  platform,
}:
args:
let
  storeName = import ./store-name.nix;
  inherit (import ../functions.nix) quote;
  # `here` is src as evaluation reads it: a path is not copied into the store for that.
  inherit (args) fail src here;
  stages = planning {
    inherit args;
    attrs = if args.inner.contentAddressed then import ../content-addressing.nix else { };
  };
  plan = import ./plan-file.nix {
    inherit fail;
    file = args.plan;
    inherit variant;
  };
  locked = if stages.locked == null then null else stages.locked.config.modules;

  # The settings that the plan must have, as `dgd plan` writes them.
  target = platform.target args.env;
  planEnv = removeAttrs stages.env [
    "GOOS"
    "GOARCH"
    "CGO_ENABLED"
  ];
  wanted = {
    inherit (args) cgo modRoot;
    inherit (args.inner) granularity;
    go = args.go.version or (builtins.parseDrvName args.go.name).version;
    target = "${target.GOOS}/${target.GOARCH}";
    env = planEnv;
    flags = stages.planFlags;
    libraries = args.libraries or false;
    packages = args.subPackages;
    excluded = args.excludedPackages or [ ];
    modules = if locked == null then "sources" else "lock";
    inherit (args.inner) contentAddressed;
  };
  # The settings in which a plan differs from the wanted ones. A plan has `contentAddressed` only if it depends on it.
  differencesOf =
    settings:
    builtins.filter (
      key:
      settings.${key} or "nothing" != builtins.toJSON wanted.${key}
      && (key != "contentAddressed" || settings ? contentAddressed)
    ) (builtins.attrNames wanted);
  # The plan in the file that fits the arguments best: the one with the fewest differences.
  variant = builtins.foldl' (
    best: name: if best == null || distance name < distance best then name else best
  ) null (builtins.attrNames plan.variants);
  distance = name: builtins.length (differencesOf plan.variants.${name});
  differ = differencesOf plan.settings;
  key = builtins.head differ;

  # The settings of tests that the plan must have.
  hasTests = plan.settings ? tests;
  wantedTests = {
    inherit (args) checkFlags;
    data = removeAttrs stages.testData (
      builtins.filter (name: stages.testData.${name} == [ ]) (builtins.attrNames stages.testData)
    );
    modules = if locked != null then "cache" else "";
    packages = args.testPackages;
  };

  # The other plans of the file, if it is intact. If they differ in the target alone, `targets` has their targets, so that
  # the command names all of them.
  others =
    let
      targets = map (settings: builtins.fromJSON settings.target) (builtins.attrValues plan.variants);
      settings = map (settings: removeAttrs settings [ "target" "digest" "testdigest" "toolEnv" "cgoEnv" ]) (builtins.attrValues plan.variants);
      has = builtins.tryEval (builtins.deepSeq targets true);
      isOne = builtins.all (s: s == builtins.head settings) settings;
    in
    {
      isMany = has.success && !isOne;
      targets = if has.success && isOne then builtins.filter (t: t != wanted.target) targets else [ ];
    };
  # The command that writes a plan for these arguments.
  flag = name: value: [ "--${name} ${if builtins.match "[A-Za-z0-9_./,=:-]+" value != null then value else quote value}" ];
  flagOf =
    prefix: name:
    builtins.concatMap (
      f:
      let
        value = builtins.match "${prefix}(.*)" f;
      in
      if value == null then [ ] else flag name (builtins.head value)
    ) wanted.flags;
  # A missing or damaged file has no tests.
  command = commandWith ((builtins.tryEval hasTests).value || args.doCheck or false);
  commandWith = withTests: builtins.concatStringsSep " " (
    [ (if others.isMany then "dgd plan --add" else "dgd plan") ]
    ++ flag "builder" (if wanted.libraries then "buildGoModule" else "buildWithIFD")
    ++ flag "for" (builtins.concatStringsSep "," (others.targets ++ [ wanted.target ]))
    ++ (if wanted.modRoot == "." then [ ] else flag "src" (builtins.concatStringsSep "/" (map (_: "..") (builtins.filter builtins.isString (builtins.split "/" wanted.modRoot)))))
    ++ [ "--cgo=${if wanted.cgo then "true" else "false"}" ]
    ++ (if wanted.contentAddressed then [ "--content-addressed" ] else [ ])
    ++ (if wanted.granularity == "auto" then [ ] else flag "granularity" wanted.granularity)
    ++ builtins.concatMap (flag "package") (if wanted.packages == null then [ ] else wanted.packages)
    ++ builtins.concatMap (flag "exclude") wanted.excluded
    ++ flagOf "-tags=" "tags"
    ++ flagOf "-gcflags=" "gcflags"
    ++ flagOf "-ldflags=" "ldflags"
    ++ builtins.concatMap (name: flag "env" "${name}=${wanted.env.${name}}") (builtins.attrNames wanted.env)
    ++ (
      if !withTests then
        [ ]
      else
        [ "--tests" ]
        ++ (
          if wantedTests.packages == (if wanted.libraries then wanted.packages else [ "./..." ]) then
            [ ]
          else
            builtins.concatMap (flag "test-package") wantedTests.packages
        )
        ++ builtins.concatMap (flag "check-flag") wantedTests.checkFlags
        ++ builtins.concatMap (
          name: builtins.concatMap (path: flag "test-data" (if name == "*" then path else "${name}=${path}")) wantedTests.data.${name}
        ) (builtins.attrNames wantedTests.data)
    )
  );
  where = "beside ${if wanted.modRoot == "." then "go.mod" else "${wanted.modRoot}/go.mod"}";

  # Overrides that the vendor directory of the sources does not have: workspace.CheckOverrides of the planner.
  unmet =
    let
      splitOn = separator: text: builtins.filter builtins.isString (builtins.split separator text);
      vendorDirs = builtins.attrNames (
        builtins.groupBy (m: builtins.substring 0 (builtins.stringLength m.tree.root - builtins.stringLength m.dir - 1) m.tree.root) (
          builtins.filter (m: m.tree != null) (builtins.attrValues plan.modules)
        )
      );
      # Lines `# PATH VERSION [=> PATH VERSION]`.
      used = builtins.filter (m: m != null) (
        builtins.concatMap (
          dir: map (builtins.match "# (.* => )?([^ ]+) ([^ ]+)") (splitOn "\n" (builtins.readFile (here + "/${dir}/modules.txt")))
        ) vendorDirs
      );
      meets =
        o: m:
        builtins.elemAt m 1 != o.path || !o.patched && (o.version == "" || o.version == builtins.elemAt m 2);
    in
    builtins.filter (o: !(builtins.all (meets o) used)) stages.overrides;

  faults = tests: import ./plan-faults.nix { inherit plan tests; };

  changed = builtins.filter (m: m.tree != m.origin || m.version != m.locked) (if locked == null then [ ] else locked);

  checked =
    value:
    if args.settings or null != null then
      fail "`plan` and phases that change the sources are both given, and a plan is of the sources as they are: leave out `plan` (with overrideAttrs, plan = null), or `patches` and the phases before the build"
    else if !args.inner.trimpath then
      fail "`plan` and `allowGoReference` are both given: a plan in a file is of a build with -trimpath, leave out `plan`"
    else if stages.goModules != null then
      fail "`plan` and `vendorHash` are both given: with a plan, modules come from a lock (`dgd plan --lock`, and modules = ./dgd.lock) or from a vendor directory of src"
    else if !(import ../is-here.nix here) then
      fail "`plan` is given, and src has to be built before it can be read: use a path, an input of a flake or a fetcher of builtins as src"
    else if args.deleteVendor or false && builtins.pathExists (here + "/${args.modRoot}/vendor") then
      fail "`plan` and `deleteVendor` are both given, and src has a vendor directory: remove that, or leave out `plan`"
    else if changed != [ ] then
      fail "`plan` is given, and moduleOverrides changes ${(builtins.head changed).path}, which a plan in a file does not take into account: leave out `plan`"
    else if differ != [ ] then
      fail "dgd.plan was written for another setting `${key}`: ${
        if key == "target" then builtins.toJSON (map (settings: builtins.fromJSON settings.target) (builtins.attrValues plan.variants)) else plan.settings.${key} or "nothing"
      }, and the builder has ${
        builtins.toJSON wanted.${key}
      }: run `${command}` ${where}${if others.isMany then "" else ", or with --add, which keeps what the file has"}"
    else if faults false != null then
      fail (faults false)
    else if unmet != [ ] then
      fail "moduleOverrides concerns ${(builtins.head unmet).path}, which is in the vendor directory of src, where overrides have no effect: change it there"
    else if plan.byGo == null then
      value
    else if !args.fallback then
      fail "dgd.plan has the programs in one derivation, which fallback = false does not allow: dgd cannot plan them package by package: ${builtins.fromJSON plan.settings.unplanned}"
    else
      value;

  checkedTests =
    value:
    checked (
      if !hasTests then
        fail "dgd.plan has no tests: run `${commandWith true}` ${where}, or set doCheck = false"
      else if plan.settings.tests != builtins.toJSON wantedTests then
        fail "dgd.plan was written for other tests: ${plan.settings.tests}, and the builder has ${builtins.toJSON wantedTests}: run `${commandWith true}` ${where}"
      else if faults true != null then
        fail (faults true)
      else
        value
    );

  generated = checked (
    import ./generate.nix { inherit execute; } {
      inherit plan;
      src = here;
      trees = import ./plan-trees.nix {
        inherit plan locked fail;
        src = here;
      };
      inputs = stages.inputs // {
        inherit goroot;
      };
      testInputs = stages.testInputs // {
        inherit goroot;
      };
      inherit (platform) tools;
      inherit (wanted) libraries;
      inherit (args) inner;
      values = stages.planValues;
    }
  );
  # The default is the place in nixpkgs' toolchains. The check of the plan compares it with `go env GOROOT`.
  goroot = args.go.passthru.goroot or "share/go";

  # Derivations that fail if the plan of the sources is another one. Nix builds derivations in the order of their names.
  check = checked (checkOf "0-check-plan" false);
  checkTests = checkedTests (checkOf "0-check-tests-plan" true);
  checkOf = name: tests: planner {
    inherit name;
    command = "check-plan";
    config = {
      inherit src where tests variant;
      inherit (args) modRoot;
      # The text that evaluation has read: the path may be a symlink.
      plan = builtins.toFile "dgd.plan" (builtins.unsafeDiscardStringContext plan.text);
      inherit (args) go;
      env = planEnv // {
        CGO_ENABLED = if args.cgo then "1" else "0";
      }
      // target;
      goroot = "${args.go}/${goroot}";
      envFile = stages.inputs.cgoEnv or "";
    };
    attrs = if args.inner.contentAddressed then import ../content-addressing.nix else { };
  };

  # A derivation of tests that also depends on the check of the plan.
  tested =
    name: tests:
    import ./copied-tests.nix { inherit execute; } (args.inner // { contentAddressed = false; }) {
      name = storeName (if name == "all" then "tests" else "tests-${name}");
      inherit tests;
      vars.PLAN = checkTests;
    };
in
{
  inherit check;
  program =
    if plan.byGo == null then
      generated.program
    else
      builtins.trace "dgd: the programs are built in one derivation, by `go build` itself, because dgd cannot plan that (fallback = false makes it an error): ${builtins.fromJSON plan.settings.unplanned}" generated.program;
  tests =
    if hasTests then
      builtins.mapAttrs tested (checkedTests generated.tests)
    else
      { all = checkedTests null; };
  stages = { inherit (stages) stdPlan; };
  testStages = { };
  passthru = {
    inherit (generated) program;
    goModules = null;
    inherit (stages) plan;
    inherit check hasTests;
    planCommand = command;
    modules = if stages.locked == null then stages.linked else stages.linkedModules;
  };
}
