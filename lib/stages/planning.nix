# The stages that plan a build, for all modes, and the configurations and inputs of those that follow. `attrs` are
# attributes of the planning derivations: dynamic mode makes these content-addressed, so that an edit that leaves the plan
# as it is rebuilds nothing that depends on it.
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
  # The arguments as check-arguments.nix completes them. buildGoModule has further ones: with `libraries` packages need not
  # be programs, and subPackages may be null for all directories with Go files. A directory that one of the basic regular
  # expressions in `excludedPackages` matches is left out. See stage.Config.
  args,
  attrs ? { },
  splitAttrs ? { }, # further attributes for the derivation that splits a vendor directory into modules
  # Makes a store path of a planning derivation that depends on its contents alone, so that equal skeletons have the same
  # path. Otherwise each edit would run the plan again.
  settle ? drv: drv,
}:
let
  inherit (args) go;
  # Sources that a derivation has built may have symlinks into the store. The stage `sources` replaces these by copies.
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
  # The plan does not depend on where modules are fetched from.
  env = removeAttrs args.env (import ../fetch/fetch-variables.nix { } ++ [ "DGD_FETCH_TIMEOUT" ]);

  # The environment of the C compiler does not depend on the flags of go build.
  ccEnv = removeAttrs env [ "GOFLAGS" ];
  # buildGoModule gives `cc`: the package's stdenv, its attributes that concern the C compiler, shell code with what its
  # phases change in the compiler's variables, and the placeholder paths of its outputs.
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
        # Derivations with C read the probe, so that its path must be the same in all modes.
        compilers = if args.inner.contentAddressed then settle probe else probe;
      }
    else
      { }
  );

  # Whether a build by the go command, for programs that cannot be planned, needs an environment with the user's inputs.
  hasUserEnv =
    args.cgo
    || args.buildInputs ++ args.nativeBuildInputs != [ ]
    || builtins.any builtins.hasContext (builtins.attrValues env);
  # The further inputs of such a build.
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
                # Makes the store paths in flags inputs.
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

  # Without ldflags: the standard library, which all programs with the same toolchain and flags share, does not get them.
  ownFlags = (if args.inner.trimpath then [ "-trimpath" ] else [ ]) ++ [ "-buildvcs=false" ];
  flags =
    ownFlags
    ++ (if args.tags == [ ] then [ ] else [ "-tags=${builtins.concatStringsSep "," args.tags}" ])
    ++ (if args.gcflags == [ ] then [ ] else [ "-gcflags=${builtins.concatStringsSep " " args.gcflags}" ]);
  # Programs have no build ID unless a flag sets one, which may be behind others in a string, or behind a pattern. The
  # ldflags of buildGoModule (`libraries`) are attributes, to which it adds the flag by the rule of nixpkgs and from which
  # overrideAttrs may remove it: see go-module.nix. `dgd plan` follows both rules (cmd/dgd/plan.go).
  hasBuildID = builtins.any (f: builtins.match "(.*[[:space:]=])?-buildid=.*" f != null) args.ldflags;
  ldflags = builtins.concatStringsSep " " (
    args.ldflags ++ (if args.libraries or false || hasBuildID then [ ] else [ "-buildid=" ])
  );

  # The stage `bind` puts the values that -X gives to variables in the place of placeholders. Without -trimpath the go
  # command also writes the flags into the module information, so that the plan has to have the values.
  linkValues =
    if !args.inner.trimpath then
      {
        hidden = ldflags;
        values = [ ];
      }
    else
      import ./link-values.nix ldflags;

  # The flags after the phases of the package, which may change them: the planner reads them from this file.
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

  # The overrides of modules, for builds without a lock. There vendorHash is the hash of the overridden versions.
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
  # Whether go.mod replaces modules by directories, of which the fetch has copies. If go.mod cannot be read yet, it may.
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

  # The configuration of skeletons. A skeleton contains the overlay that GOFLAGS names.
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

  # The configuration of the plans of both the programs and their tests.
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

  # The flags of a plan in a file.
  planFlags = flags ++ [ "-ldflags=${linkValues.hidden}" ];
  # The values that these flags have placeholders for.
  planValues = linkValues.values;
  # The inputs of the derivations that the planner or evaluation makes.
  inputs = inputs' // fallbackInputs // { inherit stdSpecs; };

  # The directory with the trees that the list `modules` names.
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

  # The specs of the derivations of the standard library's parts, which depend on this path: it must be the same in all
  # modes.
  stdSpecs = planner {
    name = "std-specs";
    command = "std-specs";
    config = { inherit stdPlan; };
    attrs = if args.inner.contentAddressed then import ../content-addressing.nix else { };
  };

  # The part of the sources that the plan depends on. Most edits do not change it.
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
  # The store paths in it are mere names: not all of them need to be in the store.
  linkedModules = builtins.fromJSON (builtins.unsafeDiscardStringContext (builtins.readFile "${linked}"));

  # The skeleton for the plan of the tests. It has more of the test files than that of the programs, which therefore are not
  # planned again after an edit of a test.
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

  # The inputs of tests: those of the build, the environment of a package's checkPhase, and for tests that need all of src
  # the sources and the modules, as nixpkgs gives them to the go command.
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

  # The argument testData by import paths, where "*" stands for all packages.
  testData = if builtins.isList args.testData then { "*" = args.testData; } else args.testData;

  testBindConfig = bindConfig // {
    name = "tests";
    tests = testPlan;
    inherit testData;
  };

  # The configuration of the stage `std`, which makes the first part of the standard library.
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

  # The configuration of the last stage, which makes derivations of the plan and the sources.
  bindConfig = {
    inherit
      plan
      stdPlan
      modules
      src
      ;
    locked = lockedTrees;
    # The fetch, if directories of the sources that replace modules have to be compared with it.
    fetched = if goModules != null && !args.proxyVendor && mayReplace then goModules else "";
    fetchHooks = args.fetchHooks or false;
    values = if settings == null then linkValues.values else [ ];
    settings = if settings == allSettings then "" else allSettings;
    inner = { inherit (args.inner) contentAddressed granularity; };
    name = "program";
    storeDir = builtins.storeDir;
  };
}
