# The stages before the derivations: what both modes have in common. `attrs` are attributes for the planning
# derivations; dynamic mode makes them content-addressed, so that an unchanged plan is known as such.
{
  tools,
  planner,
  cgoEnv,
  vendor,
  lockedModules,
  moduleOverrides,
  patchModules,
}:
{
  # As arguments.nix gives them. For buildGoModule there is more: with `libraries` the packages need not be programs,
  # and subPackages may be null. That means every directory with Go files, but for those that a basic regular expression
  # of the list `excludedPackages` matches. See stage.Config.
  args,
  attrs ? { },
  splitAttrs ? { },
  # How the plan refers to the skeleton. Equal skeletons must have the equal path, or each edit would plan anew.
  settle ? drv: drv,
}:
let
  inherit (args) go;
  # Sources that were built may have symlinks into the store. What the stages make of them has no such references.
  src =
    if args.mayLink then
      "${planner {
        name = "sources";
        command = "sources";
        config = {
          inherit (args) src;
          storeDir = builtins.storeDir;
        };
        inherit attrs;
      }}"
    else
      args.src;
  # Where modules come from changes no plan.
  env = removeAttrs args.env (import ../fetch/fetch-variables.nix { } ++ [ "DGD_FETCH_TIMEOUT" ]);

  # The environment of the C compiler does not depend on the flags of go build.
  ccEnv = removeAttrs env [ "GOFLAGS" ];
  # For buildGoModule `cc` has the package's stdenv, those of its attributes that concern the C compiler, what its phases
  # change of the compiler's variables, and the stand-ins of its outputs.
  cc = args.cc or { };
  withInputs = {
    env = ccEnv;
    inherit (args) buildInputs nativeBuildInputs;
    attrs = {
      strictDeps = true;
    }
    // cc.attrs or { }
    // cc.inputs or { };
  }
  // builtins.intersectAttrs { stdenv = null; } cc
  // (if cc.changes or null == null then { } else { changes = settle cc.changes; });

  inputs' = {
    inherit go;
  }
  // (
    if args.cgo then
      {
        stdEnv = cgoEnv (
          withInputs
          // {
            buildInputs = [ ];
            nativeBuildInputs = [ ];
            attrs = removeAttrs withInputs.attrs (builtins.attrNames (cc.inputs or { }));
          }
        );
        cgoEnv = cgoEnv withInputs;
        linkEnv = cgoEnv (withInputs // builtins.intersectAttrs { standIns = null; } cc);
        # The probe, which derivations with C read. Its path must be the same in all modes.
        compilers = if args.inner.contentAddressed then settle probe else probe;
      }
    else
      { }
  );

  # Whether the go command, where it builds what cannot be planned, needs an environment with the user's inputs.
  hasUserEnv =
    args.cgo
    || args.buildInputs ++ args.nativeBuildInputs != [ ]
    || builtins.any builtins.hasContext (builtins.attrValues env);
  # The inputs of that build beside `inputs`.
  fallbackInputs =
    if !args.fallback then
      { }
    else
      (
        if hasUserEnv then
          {
            userEnv = cgoEnv (
              withInputs
              // {
                # Files that flags name are there, too.
                env = if builtins.hasContext (env.GOFLAGS or "") then env else ccEnv;
              }
              // builtins.intersectAttrs { standIns = null; } cc
            );
          }
        else
          { }
      )
      // (
        if locked != null then
          { modCache = locked.cache; }
        else if fetched.unpacked != null then
          {
            downloads = goModules;
            unpacked = fetched.unpacked;
          }
        else if goModules != null then
          { vendor = fetched.vendored; }
        else
          { }
      );

  probe =
    if args.cgo then
      planner {
        name = "cgo-probe";
        command = "probe";
        config = {
          inherit go;
          env = ccEnv;
          envFile = inputs'.stdEnv;
        };
        inherit attrs;
      }
    else
      "";

  # ldflags do not reach the standard library: it is shared by all programs of one toolchain and one set of flags.
  ownFlags = (if args.inner.trimpath then [ "-trimpath" ] else [ ]) ++ [ "-buildvcs=false" ];
  flags =
    ownFlags
    ++ (if args.tags == [ ] then [ ] else [ "-tags=${builtins.concatStringsSep "," args.tags}" ])
    ++ (if args.gcflags == [ ] then [ ] else [ "-gcflags=${builtins.concatStringsSep " " args.gcflags}" ]);
  # As in nixpkgs: programs have no build ID but one that is given. Flags can begin with a pattern. buildGoModule's are
  # attributes, which overrideAttrs may take that from.
  saysBuildID = args.libraries or false || builtins.any (f: builtins.match "(.*[[:space:]=])?-buildid=.*" f != null) args.ldflags;
  ldflags = builtins.concatStringsSep " " (args.ldflags ++ (if saysBuildID then [ ] else [ "-buildid=" ]));

  # The values that -X gives to variables are filled in when programs are bound. Without -trimpath the go command also
  # writes them into the module information, so that it has to know them.
  linkValues =
    if !args.inner.trimpath then
      {
        hidden = ldflags;
        values = [ ];
      }
    else
      import ./link-values.nix ldflags;

  # A package's phases may have changed its flags: then the planner reads those that the phases left behind.
  allSettings = args.settings or null;
  settings =
    if allSettings == null || !args.inner.trimpath then
      allSettings
    else
      planner {
        name = "settings";
        command = "settings";
        config.settings = allSettings;
        inherit attrs;
      };

  fetched = import ./fetched.nix {
    inherit
      planner
      vendor
      lockedModules
      patchModules
      ;
  } { inherit args attrs settle; };
  inherit (fetched) goModules locked;
  lockedTrees = if locked == null then [ ] else map (m: { inherit (m) path version tree; }) locked.config.modules;
  orEmpty = value: if value == null then "" else value;

  # Without a lock a version is what vendorHash is the hash of.
  overrides = map (path: {
    inherit path;
    version = moduleOverrides.${path}.version or "";
    patched = moduleOverrides.${path}.patches or [ ] != [ ];
  }) (builtins.attrNames moduleOverrides);
  modFiles = import ../fetch/mod-files.nix;
  project = modFiles.project {
    inherit src env;
    inherit (args) modRoot;
  };
  # Whether go.mod puts directories in the place of modules, which the fetch then has a copy of. Where that cannot be
  # read yet, it may.
  mayReplace =
    !(import ../is-here.nix src)
    || builtins.any (file: modFiles.named "replace" file != [ ]) ([ project.work ] ++ project.mods);
  required =
    if overrides == [ ] || locked != null || goModules == null || !(import ../is-here.nix src) then
      [ ]
    else
      modFiles.requirements project;
  unmet = builtins.filter (
    m: moduleOverrides ? ${m.path} && moduleOverrides.${m.path}.version or m.version != m.version
  ) required;

  # The settings that a skeleton depends on: an overlay that GOFLAGS names is in it whole.
  skeletonConfig = {
    inherit src;
  }
  // (
    if settings == null && builtins.match ".*-overlay.*" (env.GOFLAGS or "") == null then
      { }
    else
      {
        inherit (args) modRoot;
        env = builtins.intersectAttrs { GOFLAGS = null; } env;
        settings = if settings == null then "" else settle settings;
      }
  );

  # The configuration that the plans of the program and of its tests have in common.
  planConfig = {
    inherit go env probe;
    inherit (args) modRoot deleteVendor;
    envFile = inputs'.cgoEnv or "";
    flags = if settings == null then flags ++ [ "-ldflags=${linkValues.hidden}" ] else ownFlags;
    settings = if settings == null then "" else settle settings;
    vendor = orEmpty fetched.vendored;
    downloads = if fetched.unpacked == null then "" else goModules;
    unpacked = orEmpty fetched.unpacked;
    overrides =
      if unmet != [ ] then
        args.fail "moduleOverrides gives ${(builtins.head unmet).path} the version ${
          moduleOverrides.${(builtins.head unmet).path}.version
        }, and src requires ${(builtins.head unmet).version}, which vendorHash is the hash of: build with a lock (the argument `modules`), or run `go get`, then set vendorHash = \"\"; and Nix will report the correct hash"
      else if locked != null then
        [ ]
      else
        overrides;
    lock = if locked == null then null else locked.config;
    excludedPackages = args.excludedPackages or [ ];
    fallback = if args.fallback then { userEnv = hasUserEnv; } else null;
    libraries = args.libraries or false;
  };
in
rec {
  inherit
    goModules
    locked
    env
    overrides
    ;

  # The flags that a plan in a file is made with.
  planFlags = flags ++ [ "-ldflags=${linkValues.hidden}" ];
  # The values that these have stand-ins for.
  planValues = linkValues.values;
  inputs = inputs' // fallbackInputs // { inherit stdSpecs; };

  # The trees of `modules` are below it.
  modulesDir =
    if fetched.unpacked != null then
      "${fetched.unpacked}"
    else if fetched.vendored != null then
      "${fetched.vendored}"
    else
      src;

  stdPlan = planner {
    name = "std-plan";
    command = "plan";
    config = {
      inherit go env flags probe;
      envFile = inputs'.stdEnv or "";
    };
    inherit attrs;
  };

  # The specs of the derivations of the standard library's parts. Its path must be the same in all modes, as these
  # depend on it.
  stdSpecs = planner {
    name = "std-specs";
    command = "std-specs";
    config = { inherit stdPlan; };
    attrs = if args.inner.contentAddressed then import ../content-addressing.nix else { };
  };

  # The part of the sources that the plan depends on: most edits leave it as it is.
  skeleton = planner {
    name = "skeleton";
    command = "skeleton";
    config = skeletonConfig;
    inherit attrs;
  };

  plan = planner {
    name = "plan";
    command = "plan";
    config = planConfig // {
      skeleton = settle skeleton;
      inherit (args) subPackages;
    };
    inherit attrs;
  };

  modules = if locked != null then "" else splitModules;
  splitModules = planner {
    name = "modules";
    command = "modules";
    config = {
      storeDir = builtins.storeDir;
    }
    // (
      if goModules == null then
        {
          inherit src env;
          inherit (args) modRoot;
          inherit (planConfig) settings;
        }
      else
        { ${if fetched.unpacked == null then "vendor" else "unpacked"} = modulesDir; }
    );
    attrs = attrs // splitAttrs;
  };

  # The modules that the programs are linked from, as JSON.
  linked = planner {
    name = "linked-modules";
    command = "linked";
    config = {
      inherit plan;
    }
    // (if locked == null then { inherit modules modulesDir; } else { locked = lockedTrees; });
    inherit attrs;
  };
  # Store paths are names there: what is listed may be more than the store has.
  linkedModules = builtins.fromJSON (builtins.unsafeDiscardStringContext (builtins.readFile "${linked}"));

  # The same for tests. Their skeleton has more of the test files, so that an edit of a test does not plan the program
  # again.
  testSkeleton = planner {
    name = "test-skeleton";
    command = "skeleton";
    config = skeletonConfig // {
      tests = true;
    };
    inherit attrs;
  };

  testPlan = planner {
    name = "test-plan";
    command = "tests";
    config = planConfig // {
      skeleton = settle testSkeleton;
      subPackages = args.testPackages;
      inherit (args) checkFlags;
    };
    inherit attrs;
  };

  # What tests have beside the inputs of a build: the environment of a package's checkPhase, and what those see that see
  # all of src, with the modules as nixpkgs hands them to the go command.
  testInputs =
    inputs
    // (if args.cgo then { linkEnv = inputs.cgoEnv; } else { })
    // {
      planner = tools.dgd-plan;
      src = "${args.src}";
      checkEnv = cgoEnv (
        withInputs
        // {
          name = "check-env";
          env = env // removeAttrs (args.checkVariables or { }) (builtins.attrNames withInputs.attrs);
          nativeBuildInputs = [ go ] ++ args.nativeBuildInputs ++ args.nativeCheckInputs;
        }
      );
    }
    // (
      if locked != null then
        { modules = "${locked.cache}"; }
      else if goModules == null then
        { }
      else
        { modules = "${if fetched.vendored == null then goModules else fetched.vendored}"; }
    );

  testBindConfig = bindConfig // {
    name = "tests";
    tests = testPlan;
    testData = if builtins.isList args.testData then { "*" = args.testData; } else args.testData;
  };

  # The configuration for the derivation of the first part of the standard library.
  stdConfig = {
    inherit stdPlan;
    inner = { inherit (args.inner) contentAddressed; };
    inputs = builtins.intersectAttrs {
      go = null;
      stdEnv = null;
      stdSpecs = null;
    } inputs;
    name = "std";
    storeDir = builtins.storeDir;
  };

  # The configuration of the last stage, which binds the sources to the plan.
  bindConfig = {
    inherit
      plan
      stdPlan
      modules
      src
      ;
    locked = lockedTrees;
    # The fetch, with which directories that stand in for modules are compared.
    fetched = if goModules != null && !args.proxyVendor && mayReplace then goModules else "";
    fetchHooks = args.fetchHooks or false;
    values = if settings == null then linkValues.values else [ ];
    settings = if settings == allSettings then "" else allSettings;
    inner = { inherit (args.inner) contentAddressed granularity; };
    name = "program";
    storeDir = builtins.storeDir;
  };
}
