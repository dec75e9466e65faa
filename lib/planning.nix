# The stages before the derivations: what both modes have in common. `attrs` are attributes for the planning
# derivations; dynamic mode makes them content-addressed, so that an unchanged plan is known as such.
{
  planner,
  cgoEnv,
  vendor,
}:
{
  # As arguments.nix gives them. For buildGoModule there is more: with `libraries` the packages need not be programs,
  # and subPackages may be null. That means every directory with Go files, but for those that a basic regular expression
  # of the list `excludedPackages` matches. See planner.Config.
  args,
  attrs ? { },
  splitAttrs ? { },
  # What stands for the skeleton in the plan's inputs. It must be the same where the skeleton is.
  settle ? drv: drv,
}:
let
  inherit (args) go src env;

  # What the C compiler is and says does not depend on the flags of go build.
  ccEnv = removeAttrs env [ "GOFLAGS" ];

  inputs = {
    inherit go;
  }
  // (
    if args.cgo then
      {
        stdEnv = cgoEnv {
          env = ccEnv;
          buildInputs = [ ];
          nativeBuildInputs = [ ];
        };
        cgoEnv = cgoEnv {
          env = ccEnv;
          inherit (args) buildInputs nativeBuildInputs;
        };
      }
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
          envFile = inputs.stdEnv;
        };
        inherit attrs;
      }
    else
      "";

  # ldflags do not reach the standard library: it is shared by all programs of one toolchain and one set of flags.
  ownFlags = (if args.allowGoReference then [ ] else [ "-trimpath" ]) ++ [ "-buildvcs=false" ];
  flags =
    ownFlags
    ++ (if args.tags == [ ] then [ ] else [ "-tags=${builtins.concatStringsSep "," args.tags}" ])
    ++ (if args.gcflags == [ ] then [ ] else [ "-gcflags=${builtins.concatStringsSep " " args.gcflags}" ]);
  ldflags = "-ldflags=${builtins.concatStringsSep " " ([ "-buildid=" ] ++ args.ldflags)}";

  # A package's phases may have changed its flags: then the planner reads them where the phases left them.
  settings = args.settings or null;

  goModules =
    if args ? goModules then
      args.goModules
    else if args.vendorHash == null then
      null
    else
      vendor {
        inherit src go env;
        inherit (args)
          modRoot
          vendorHash
          proxyVendor
          deleteVendor
          ;
      };

  # With proxyVendor, what was fetched are archives: the modules of them, unpacked.
  unpacked =
    if goModules == null || !args.proxyVendor then
      null
    else
      planner {
        name = "unpacked-modules";
        command = "unpack";
        config.downloads = goModules;
        inherit attrs;
      };
  vendored = if unpacked == null then goModules else null;
  orEmpty = value: if value == null then "" else value;

  # What the plans of the program and of its tests have in common.
  planConfig = {
    inherit go env probe;
    inherit (args) modRoot deleteVendor;
    envFile = inputs.cgoEnv or "";
    flags = if settings == null then flags ++ [ ldflags ] else ownFlags;
    settings = if settings == null then "" else settle settings;
    vendor = orEmpty vendored;
    downloads = if unpacked == null then "" else goModules;
    unpacked = orEmpty unpacked;
    excludedPackages = args.excludedPackages or [ ];
    libraries = args.libraries or false;
  };
in
rec {
  inherit inputs goModules;

  # The trees of `modules` are below it.
  modulesDir =
    if unpacked != null then
      "${unpacked}"
    else if vendored != null then
      "${vendored}"
    else
      src;

  stdPlan = planner {
    name = "std-plan";
    command = "plan";
    config = {
      inherit go env flags probe;
      envFile = inputs.stdEnv or "";
    };
    inherit attrs;
  };

  # What the plan depends on of the sources: most edits leave it as it is.
  skeleton = planner {
    name = "skeleton";
    command = "skeleton";
    config = {
      inherit src;
    };
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

  modules = planner {
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
        }
      else
        { ${if unpacked == null then "vendor" else "unpacked"} = modulesDir; }
    );
    attrs = attrs // splitAttrs;
  };

  # What the programs ship: the modules that they are linked from, as JSON.
  linked = planner {
    name = "linked-modules";
    command = "linked";
    config = { inherit plan modules modulesDir; };
    inherit attrs;
  };
  # Store paths are names there: what is listed may be more than the store has.
  linkedModules = builtins.fromJSON (builtins.unsafeDiscardStringContext (builtins.readFile "${linked}"));

  # The same for tests. Their skeleton has more of the test files, so that an edit of a test does not plan the program
  # again.
  testSkeleton = planner {
    name = "test-skeleton";
    command = "skeleton";
    config = {
      inherit src;
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

  # What tests have beside the inputs of a build: the environment of a package's checkPhase.
  testInputs = inputs // {
    checkEnv = cgoEnv {
      name = "check-env";
      inherit env;
      inherit (args) buildInputs;
      nativeBuildInputs = [ go ] ++ args.nativeBuildInputs ++ args.nativeCheckInputs;
    };
  };

  testBindConfig = bindConfig // {
    name = "tests";
    tests = testPlan;
    testData = if builtins.isList args.testData then { "*" = args.testData; } else args.testData;
  };

  # What the last stage, the binding of the sources to the plan, works on.
  bindConfig = {
    inherit
      plan
      stdPlan
      modules
      src
      ;
    inherit (args) contentAddressed allowGoReference;
    # Without -trimpath the sources' place shows, which is that of a derivation's first package for all.
    granularity = if args.allowGoReference then "package" else args.granularity;
    name = "program";
    storeDir = builtins.storeDir;
  };
}
