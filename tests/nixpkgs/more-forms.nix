# Variants of the forms in forms.nix, and forms that build much. They run with a nixpkgs, or with -more.
{
  pkgs,
  tool,
  withoutCgo,
  dep,
  of,
  setupHook,
  ...
}:
let
  changed = "sha256-j5KlMX/1g/nJUK2CWyUBS9UE4A1DM7WfnxMGg3oBu4I=";
  plain = of "zlib-plain";
  dev = pkgs.zlib.dev or pkgs.zlib;
  lib = pkgs.zlib.out or pkgs.zlib;
in
{
  # Flags

  ldflagsWithSpaces = withoutCgo // {
    ldflags = [
      "-s"
      "-X 'main.note=two words'"
      "-X \"main.tag=three small words\""
    ];
  };
  ldflagsSet = withoutCgo // {
    preBuild = "ldflags='-s -w'";
  };
  ldflagsExported = withoutCgo // {
    preBuild = "export ldflags=\"-s -X main.note=$(cat COMMIT)\"";
  };
  tagsAdded = withoutCgo // {
    tags = [ "more" ];
    preBuild = "tags+=' tagged'";
  };
  goFlagsExported = withoutCgo // {
    preBuild = "export GOFLAGS+=' -tags=tagged'";
  };
  workOff = withoutCgo // {
    env = {
      CGO_ENABLED = 0;
      GOWORK = "off";
    };
  };
  workOffAttribute = withoutCgo // {
    GOWORK = "off";
  };
  workOffExported = withoutCgo // {
    preBuild = "export GOWORK=off";
  };
  cgoOffString = tool // {
    env.CGO_ENABLED = "0";
  };
  experiment = withoutCgo // {
    env = {
      CGO_ENABLED = 0;
      GOEXPERIMENT = "jsonv2";
    };
  };

  # Another platform

  toolchainForWasm =
    build:
    (build.override (old: {
      go = old.go // {
        GOOS = "js";
        GOARCH = "wasm";
      };
    }))
      withoutCgo;
  wasmExported = withoutCgo // {
    preBuild = "export GOOS=js GOARCH=wasm";
  };

  # What is built

  subPackagesSet = withoutCgo // {
    preBuild = "subPackages=cmd/tool";
  };
  subPackagesDots = withoutCgo // {
    subPackages = [ "cmd/..." ];
  };
  subPackagesTwice = withoutCgo // {
    subPackages = [
      "./cmd/tool"
      "cmd/other/"
      "cmd/tool"
    ];
  };
  excludedPackagesExpression = withoutCgo // {
    excludedPackages = "cmd/oth.r\\|elsewhere";
  };
  excludedPackagesAnchored = withoutCgo // {
    excludedPackages = [ "^./cmd/other$" ];
  };

  # Sources

  sourcesFiltered = withoutCgo // {
    src = builtins.path {
      path = ./testdata/tool;
      name = "source";
      filter = path: _: baseNameOf path != "examples";
    };
  };
  sourcesFilterSource = withoutCgo // {
    src = builtins.filterSource (path: _: baseNameOf path != "examples") ./testdata/tool;
  };
  # A source like those of lib.cleanSource and flakes.
  sourcesAttributes = withoutCgo // {
    src.outPath = ./testdata/tool;
  };
  sourcesBuilt = withoutCgo // {
    src = pkgs.stdenvNoCC.mkDerivation {
      name = "source";
      buildCommand = "cp -r ${./testdata/tool} $out";
    };
  };
  sourcesArchive = withoutCgo // {
    src = pkgs.stdenvNoCC.mkDerivation {
      name = "tool.tar.gz";
      buildCommand = ''
        cp -r ${./testdata/tool} tool
        tar czf $out tool
      '';
    };
  };
  sourcesSeveral = withoutCgo // {
    srcs = [
      ./testdata/tool
      ./testdata/below
    ];
    sourceRoot = "tool";
  };
  sourceRootByName = withoutCgo // {
    src = builtins.path {
      path = ./testdata;
      name = "source";
    };
    sourceRoot = "source/tool";
  };
  sourceRootAndModRoot = of "below" {
    src = ./testdata;
    sourceRoot = "testdata/below";
    modRoot = "server";
    env.CGO_ENABLED = 0;
  };

  # Modules

  modPostBuild = dep // {
    modPostBuild = "echo more >> vendor/more";
    vendorHash = changed;
  };
  overrideGoModules =
    build:
    (build dep).overrideAttrs (old: {
      goModules = old.goModules.overrideAttrs {
        outputHash = changed;
        postBuild = "echo more >> vendor/more";
      };
    });
  deleteVendor = dep // {
    src = pkgs.stdenvNoCC.mkDerivation {
      name = "with-vendor";
      buildCommand = ''
        cp -r --no-preserve=mode ${./testdata/dep} $out
        mkdir $out/vendor
        echo > $out/vendor/modules.txt
      '';
    };
    deleteVendor = true;
  };
  proxyVendorChecked = dep // {
    proxyVendor = true;
    vendorHash = "sha256-zrD0VVJPO9xsQzy1+ZyYoKScoRHUkBmqlFqwg0XU9zE=";
    doCheck = true;
    preBuild = "ldflags+=' -s'";
  };

  # Phases

  generated = withoutCgo // {
    preBuild = ''
      go run ./cmd/other
      go generate ./...
    '';
  };
  phaseBeforeBuild = withoutCgo // {
    preBuildPhases = [ "changePhase" ];
    changePhase = "sed -i s/original/phase/ shared/shared.go";
  };
  lateConfigure = withoutCgo // {
    postConfigure = "sed -i s/original/late/ shared/shared.go";
  };
  setupHookFlags = withoutCgo // {
    nativeBuildInputs = [
      (setupHook ''
        addFlags() { ldflags+=' -X main.note=hooked'; }
        preConfigureHooks+=(addFlags)
      '')
    ];
  };
  ownPhases = withoutCgo // {
    buildPhase = ''
      runHook preBuild
      go build -ldflags "$ldflags" -o tool-x ./cmd/tool
      runHook postBuild
    '';
    installPhase = "install -D tool-x $out/bin/tool-x";
  };
  dontStrip = tool // {
    dontStrip = true;
  };
  dev = withoutCgo // {
    outputs = [
      "out"
      "dev"
    ];
    postInstall = ''
      install -D data.txt $out/include/data.h
      mkdir -p $dev
    '';
  };

  # Tests

  notChecked = withoutCgo // {
    doCheck = false;
    checkFlags = [
      "-skip=TestNever"
      "-v"
    ];
    nativeCheckInputs = [ pkgs.sqlite ];
    preCheck = "exit 1";
    __darwinAllowLocalNetworking = true;
    passthru.tests.version = "none";
    meta.mainProgram = "tool";
  };
  checkedWithoutSelection = withoutCgo // {
    subPackages = [ "cmd/tool" ];
    doCheck = true;
    checkFlags = [ "-skip=TestNever" ];
    preCheck = ''
      unset subPackages
      export HOME=$(mktemp -d)
    '';
  };
  checkedElsewhere = withoutCgo // {
    doCheck = true;
    preCheck = "getGoDirs() { go list ./... | grep -v -e shared -e examples; }";
  };
  ownCheckPhase = withoutCgo // {
    doCheck = true;
    checkPhase = ''
      runHook preCheck
      go test -vet=off -skip TestNever ./shared
      runHook postCheck
    '';
  };
  skippedTests = withoutCgo // {
    doCheck = true;
    checkFlags = [ "-skip=^TestNever$|^TestOther$" ];
  };
  testVariableInEnv = of "variables" {
    env = {
      CGO_ENABLED = 0;
      TOOL_ATTRIBUTE = "x";
    };
    doCheck = true;
    checkFlags = [ "-run=Attribute" ];
  };

  # Changes of a definition

  # Without `-buildid=`.
  overrideFlagsWhole = build: (build (withoutCgo // { ldflags = [ "-s" ]; })).overrideAttrs { ldflags = [ "-w" ]; };
  overrideFlags =
    build:
    (build (withoutCgo // { ldflags = [ "-s" ]; })).overrideAttrs (old: {
      ldflags = old.ldflags ++ [ "-X main.note=more" ];
    });
  overridePname =
    build:
    (build dep).overrideAttrs {
      pname = "another";
      version = "3";
    };
  overrideSelection =
    build:
    (build (withoutCgo // { subPackages = [ "cmd/other" ]; })).overrideAttrs {
      subPackages = [ "cmd/tool" ];
      tags = [ "tagged" ];
      doCheck = true;
      checkFlags = [ "-skip=TestNever" ];
    };
  overrideEnv =
    build:
    (build withoutCgo).overrideAttrs (old: {
      env = old.env // {
        GOFLAGS = old.env.GOFLAGS + " -tags=tagged";
      };
    });
  overrideSources =
    build:
    (build dep).overrideAttrs {
      src = ./testdata/tool;
      vendorHash = null;
    };
  overrideTwice =
    build:
    (
      (build (final: withoutCgo // { ldflags = [ "-X main.version=${final.version}" ]; })).overrideAttrs {
        version = "2";
      }
    ).overrideAttrs
      (old: {
        pname = old.pname + "-x";
        preBuild = "sed -i s/original/x/ shared/shared.go";
      });
  finalPackage =
    build:
    build (
      final:
      withoutCgo
      // {
        passthru = {
          tests.program = final.finalPackage;
          inherit (final) src version;
        };
        postInstall = "ln -s $out/bin/tool $out/bin/${final.pname}-${final.version}";
      }
    );

  # C

  headers = plain {
    buildInputs = [ pkgs.zlib ];
    env.CGO_LDFLAGS = "-lz";
  };
  flagsWithPaths = plain {
    env = {
      CGO_CFLAGS = "-I${dev}/include -O2 -g";
      CGO_LDFLAGS = "-L${lib}/lib -lz";
    };
  };
  compilerAttributes = plain {
    buildInputs = [ pkgs.zlib ];
    NIX_LDFLAGS = "-lz";
    CGO_CFLAGS = "-O1";
    doCheck = true;
  };
  pkgConfigExported = of "zlib" {
    nativeBuildInputs = [ pkgs.pkg-config ];
    preBuild = "addToSearchPath PKG_CONFIG_PATH ${dev}/lib/pkgconfig";
  };
  headerInSources = plain {
    buildInputs = [ pkgs.zlib ];
    env.CGO_LDFLAGS = "-lz";
    postPatch = ''
      mkdir extra
      sed '$a#define EXTRA 9' ${dev}/include/zlib.h > extra/zlib.h
    '';
    preBuild = "export NIX_CFLAGS_COMPILE=\"-I$PWD/extra $NIX_CFLAGS_COMPILE\"";
  };
  flagsOfSetupHook = plain {
    buildInputs = [ pkgs.zlib ];
    nativeBuildInputs = [ (setupHook "export CGO_LDFLAGS=-lz") ];
  };
  # The packages of the standard library with C are linked with the library for the linking test, which decides whether the
  # program is linked externally.
  cgoLinkedByGoWithLibrary = of "user" {
    preBuild = ''
      mkdir lib
      echo 'int inLibrary = 1;' | $CC -x c -c -o lib/l.o -
      $AR rcs lib/libhook.a lib/l.o
      export CGO_LDFLAGS="-L$PWD/lib -lhook"
    '';
  };
  propagated = of "zlib" {
    nativeBuildInputs = [ pkgs.pkg-config ];
    propagatedBuildInputs = [ pkgs.zlib ];
  };
  separateDebugInfo = tool // {
    __structuredAttrs = true;
    separateDebugInfo = true;
  };
}
