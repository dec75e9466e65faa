# Forms whose hooks and changes concern parts that dgd handles itself: modules, phases, places of programs, tests. They run
# with a nixpkgs, or with -more; the most important ones are in forms.nix.
{
  pkgs,
  hooks,
  tool,
  withoutCgo,
  dep,
  of,
  setupHook,
  ...
}:
let
  variables =
    args:
    of "variables" (
      {
        env.CGO_ENABLED = 0;
        doCheck = true;
        checkFlags = [ "-run=Exported" ];
      }
      // args
    );
  setFlags =
    flags: package:
    package.overrideAttrs (old: {
      env = old.env // {
        GOFLAGS = "${old.env.GOFLAGS} ${flags}";
      };
    });
in
{
  # The vendor directory, as phases have it

  vendorChangedBeforeBuild = dep // {
    preBuild = ''
      if [ -d vendor ]; then
        chmod -R u+w vendor
        sed -i 's/Hello, world/Bye/' vendor/rsc.io/quote/quote.go
      fi
    '';
    doCheck = true;
    # A later phase gets the changed directory, too.
    postInstall = "install -D vendor/rsc.io/quote/quote.go $out/share/quote.go";
  };
  vendorReplaced = dep // {
    postConfigure = ''
      rm -rf vendor
      cp -r --no-preserve=mode $goModules vendor
      sed -i 's/Hello, world/Bye/' vendor/rsc.io/quote/quote.go
    '';
  };
  vendorRead = dep // {
    postInstall = ''
      mkdir -p $out/share
      find . -name quote.go > $out/share/list
      cp -r vendor $out/share/vendor
    '';
  };
  goModulesReplaced =
    build:
    (build dep).overrideAttrs (old: {
      goModules = pkgs.stdenvNoCC.mkDerivation {
        name = "modules";
        buildCommand = ''
          cp -r --no-preserve=mode ${old.goModules} $out
          sed -i 's/Hello, world/Bye/' $out/rsc.io/quote/quote.go
        '';
      };
    });
  modFilePatched = dep // {
    proxyVendor = true;
    vendorHash = "sha256-zrD0VVJPO9xsQzy1+ZyYoKScoRHUkBmqlFqwg0XU9zE=";
    prePatch = "sed -i 's/^go 1.24/go 1.25/' go.mod";
  };

  # Phases

  ownConfigurePhase = dep // {
    configurePhase = ''
      runHook preConfigure
      export GOCACHE=$TMPDIR/go-cache GOPATH=$TMPDIR/go GOPROXY=off GOSUMDB=off
      cp -r --no-preserve=mode $goModules vendor
      sed -i 's/Hello, world/Bye/' vendor/rsc.io/quote/quote.go
      runHook postConfigure
    '';
    doCheck = true;
    # The hook fails if there are no tests.
    preCheck = "getGoDirs test > directories || true";
    postInstall = "install -D directories $out/share/directories";
  };
  # In this case nixpkgs runs no tests, which would fail.
  ownBuildPhaseChecked = withoutCgo // {
    doCheck = true;
    buildPhase = ''
      runHook preBuild
      go build -o tool-x ./cmd/tool
      runHook postBuild
    '';
    preCheck = "echo before > checked";
    installPhase = ''
      install -D tool-x $out/bin/tool-x
      install -D checked $out/share/checked
    '';
  };
  overrideConfigurePhase =
    build:
    (build (dep // { doCheck = true; })).overrideAttrs (old: {
      configurePhase = old.configurePhase + ''

        chmod -R u+w vendor
        sed -i 's/Hello, world/Bye/' vendor/rsc.io/quote/quote.go
      '';
    });
  overrideCheckPhase =
    build:
    (build (withoutCgo // { doCheck = true; })).overrideAttrs {
      checkPhase = "go test -skip TestNever ./shared > said; grep -q ^ok said";
    };
  ownUnpackPhase = withoutCgo // {
    unpackPhase = ''
      runHook preUnpack
      cp -r --no-preserve=mode $src sources
      cd sources
      runHook postUnpack
    '';
  };
  dontUnpack = withoutCgo // {
    dontUnpack = true;
    # Not in $TMPDIR itself, where the go command ignores go.mod.
    preConfigure = ''
      cp -r --no-preserve=mode $src source
      cd source
    '';
  };
  postUnpack = withoutCgo // {
    src = ./testdata;
    postUnpack = "sourceRoot+=/tool";
  };
  setSourceRoot = withoutCgo // {
    src = ./testdata;
    setSourceRoot = "sourceRoot=$(echo */tool)";
  };
  modRootSet = of "below" {
    preConfigure = "modRoot=server";
    env.CGO_ENABLED = 0;
  };
  sourceDate = withoutCgo // {
    preBuild = ''
      ldflags+=" -X main.note=$(date -u -d @$SOURCE_DATE_EPOCH +%Y-%m-%d)"
    '';
  };
  functor = build: build { __functor = _: final: withoutCgo // { ldflags = [ "-X main.version=${final.version}" ]; }; };

  # Where programs are

  renamedAfterBuild = withoutCgo // {
    postBuild = "mv $GOPATH/bin/tool $GOPATH/bin/renamed";
    preInstall = "rm $GOPATH/bin/other";
  };
  goBin = withoutCgo // {
    preBuild = "export GOBIN=$out/libexec";
  };
  outputBeforeBuild = withoutCgo // {
    preBuild = ''
      mkdir -p $out/share
      echo made > $out/share/made
    '';
  };
  goPath = withoutCgo // {
    preBuild = "export GOPATH=$TMPDIR/elsewhere";
  };

  # Flags

  goReferenceTrimmed = build: setFlags "-trimpath" (build (withoutCgo // { allowGoReference = true; }));
  overrideGoFlags = build: setFlags "-ldflags=-w -tags=tagged" (build withoutCgo);
  toolchainWithoutCgo = build: (build.override (old: { go = old.go // { CGO_ENABLED = 0; }; })) (of "user" { });

  # Tests

  testHome = of "home" {
    env.CGO_ENABLED = 0;
    doCheck = true;
    nativeCheckInputs = [ hooks.writableTmpDirAsHomeHook ];
  };
  hookExports = variables {
    nativeBuildInputs = [
      (setupHook ''
        exportVariable() { export TOOL_EXPORTED=x; }
        preConfigureHooks+=(exportVariable)
      '')
    ];
  };
  hookPropagated = variables {
    nativeCheckInputs = [
      (pkgs.stdenvNoCC.mkDerivation {
        name = "propagates";
        dontUnpack = true;
        installPhase = "mkdir $out";
        # Tools in propagatedNativeBuildInputs would be for another platform.
        propagatedBuildInputs = [
          (setupHook ''
            exportVariable() { export TOOL_EXPORTED=x; }
            preCheckHooks+=(exportVariable)
          '')
        ];
      })
    ];
  };
  ownCheckPhaseFunctions = withoutCgo // {
    doCheck = true;
    checkFlags = [ "-skip=TestNever" ];
    checkPhase = ''
      runHook preCheck
      for dir in $(getGoDirs test); do
        buildGoDir test "$dir"
      done
      runHook postCheck
    '';
  };
  testBinariesExcluded = removeAttrs withoutCgo [ "doCheck" ] // {
    buildTestBinaries = true;
    excludedPackages = [ "cmd" ];
  };
  installCheck = withoutCgo // {
    doInstallCheck = true;
    installCheckPhase = ''
      runHook preInstallCheck
      $out/bin/tool | grep -q '^tool '
      runHook postInstallCheck
    '';
  };

  # C

  rpathOfOutput = of "zlib" {
    nativeBuildInputs = [ pkgs.pkg-config ];
    buildInputs = [ pkgs.zlib ];
    preBuild = "export CGO_LDFLAGS=\"-Wl,-rpath,$out/lib/private\"";
  };
  wrapped = tool // {
    nativeBuildInputs = [ hooks.makeWrapper ];
    postFixup = "wrapProgram $out/bin/tool --set TOOL_HOME $out/share";
  };
}
// (
  # Archives that the stdenv of ./with-nix does not unpack.
  if pkgs ? buildGoModule then
    {
      unpackCmd = withoutCgo // {
        src = ./testdata/tool/COMMIT;
        unpackCmd = "cp -r --no-preserve=mode ${./testdata/tool} sources";
      };
      archiveShort = withoutCgo // {
        src = pkgs.stdenvNoCC.mkDerivation {
          name = "tool.tbz";
          buildCommand = ''
            cp -r ${./testdata/tool} tool
            tar cf $out tool
          '';
        };
      };
    }
  else
    { }
)
