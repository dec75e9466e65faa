# The forms of definitions in nixpkgs: each is a function of buildGoModule, dgd's or nixpkgs', and the resulting packages
# are compared. The programs are tiny; the forms of their definitions are under test.
{
  pkgs,
  hooks, # nixpkgs' installShellFiles, makeWrapper and versionCheckHook
}:
let
  tool = {
    pname = "tool";
    version = "1.2.3";
    src = ./testdata/tool;
    vendorHash = null;
    doCheck = false;
  };
  withoutCgo = tool // {
    env.CGO_ENABLED = 0;
  };
  # A definition with a published module.
  dep = {
    pname = "dep";
    version = "1.0.0";
    src = ./testdata/dep;
    vendorHash = "sha256-XOP8WKbDt59PyWLxxLupj6inCrz3ZFAxwF8LH2ZAE1c=";
    env.CGO_ENABLED = 0;
    doCheck = false;
  };
  of =
    name: args:
    {
      pname = name;
      version = "1.0.0";
      src = ./testdata + "/${name}";
      vendorHash = null;
      doCheck = false;
    }
    // args;

  setupHook =
    script:
    pkgs.stdenvNoCC.mkDerivation {
      name = "setup-hook";
      buildCommand = ''
        mkdir -p $out/nix-support
        cp ${builtins.toFile "hook.sh" script} $out/nix-support/setup-hook
      '';
    };

  # A form that has only arguments.
  plain = args: build: build args;
  functions = builtins.mapAttrs (_: form: if builtins.isFunction form then form else plain form);
  parts = {
    inherit
      pkgs
      hooks
      tool
      withoutCgo
      dep
      of
      setupHook
      ;
  };

  forms = {
    defaults = tool;

    # The arguments that most definitions of programs have.
    typical =
      build:
      build (final: {
        pname = "tool";
        inherit (tool) version src;
        vendorHash = null;
        env.CGO_ENABLED = 0;
        subPackages = [ "cmd/tool" ];
        ldflags = [
          "-s"
          "-w"
          "-X main.version=${final.version}"
          "-X=main.note=${final.pname}"
        ];
        nativeBuildInputs = [
          hooks.installShellFiles
          hooks.makeWrapper
        ];
        postInstall = ''
          installManPage tool.1
          installShellCompletion --cmd tool \
            --bash <($out/bin/tool completion bash) \
            --fish <($out/bin/tool completion fish) \
            --zsh <($out/bin/tool completion zsh)
          wrapProgram $out/bin/tool --set TOOL_HOME $out/share
        '';
        doCheck = false;
        doInstallCheck = true;
        nativeInstallCheckInputs = [ hooks.versionCheckHook ];
        versionCheckProgramArg = "--version";
        passthru.updateScript = [ "update" ];
        meta = {
          description = "Prints what it is";
          homepage = "https://example.com/tool";
          mainProgram = "tool";
        };
      });

    nameAlone = removeAttrs tool [
      "pname"
      "version"
    ] // {
      name = "tool";
    };

    outputs = withoutCgo // {
      outputs = [
        "out"
        "doc"
      ];
      postInstall = ''
        mkdir -p $doc/share/doc/tool
        cp COMMIT $doc/share/doc/tool
        ln -s $out/bin/tool $doc/share/doc/tool/program
      '';
    };

    # Programs that contain the paths of their outputs, in three ways.
    outputsInPrograms = withoutCgo // {
      outputs = [
        "out"
        "doc"
      ];
      ldflags = [ "-X main.dir=${placeholder "out"}/share" ];
      postPatch = ''
        substituteInPlace shared/shared.go --replace-fail original "$out/lib"
      '';
      preBuild = ''
        ldflags+=" -X main.note=$doc"
      '';
      postInstall = "mkdir $doc";
    };

    installed = withoutCgo // {
      preInstall = "echo $pname > made";
      postInstall = ''
        mkdir -p $out/share
        cp made data.txt $out/share
        mv $out/bin/other $out/bin/renamed
        install -m 755 run.sh $out/bin/run
      '';
      postFixup = "cat $out/bin/run > $out/share/fixed";
    };

    ownInstallPhase = withoutCgo // {
      installPhase = ''
        runHook preInstall
        install -D $GOPATH/bin/tool $out/libexec/tool
        runHook postInstall
      '';
    };

    patches = withoutCgo // { patches = [ ./testdata/fix.patch ]; };

    patchesNull = withoutCgo // { patches = null; };

    postPatch = withoutCgo // {
      postPatch = ''
        substituteInPlace run.sh --replace-fail @out@ $out
        substituteInPlace shared/shared.go --replace-fail original changed
      '';
      postInstall = "install -m 755 run.sh $out/bin/run";
    };

    preBuild = withoutCgo // {
      preBuild = ''
        ldflags+=" -X main.commit=$(cat COMMIT)"
        printf 'package main\n\nfunc init() { note = "generated" }\n' > cmd/tool/generated.go
      '';
    };

    preBuildArray = withoutCgo // {
      ldflags = [ "-s" ];
      preBuild = ''
        ldflags+=("-X main.commit=$(cat COMMIT)")
      '';
    };

    preConfigure = withoutCgo // {
      preConfigure = "sed -i 's/original/configured/' shared/shared.go";
      postConfigure = "ls > files";
      postInstall = "install -D files $out/share/files";
    };

    # Evaluation does not know what the setup hook of a tool does.
    setupHook = withoutCgo // {
      nativeBuildInputs = [
        (setupHook ''
          changeSources() { sed -i s/original/hooked/ shared/shared.go; }
          preBuildHooks+=(changeSources)
        '')
      ];
    };

    postBuild = withoutCgo // {
      postBuild = ''
        go build -o $GOPATH/bin/again ./cmd/tool
        buildGoDir install ./cmd/tool
      '';
    };

    ownBuildPhase = withoutCgo // {
      buildPhase = ''
        runHook preBuild
        go install ./cmd/tool
        runHook postBuild
      '';
    };

    structured = withoutCgo // {
      __structuredAttrs = true;
      ldflags = [
        "-s"
        "-X main.note=two_words"
        "-X main.version=1.2.3"
      ];
    };

    structuredOwnBuildPhase = withoutCgo // {
      __structuredAttrs = true;
      buildPhase = ''
        runHook preBuild
        go install ./cmd/tool
        runHook postBuild
      '';
    };

    structuredSelection = withoutCgo // {
      __structuredAttrs = true;
      # nixpkgs uses only the first one.
      subPackages = [ "cmd/tool" ];
      tags = [
        "tagged"
        "more"
      ];
    };

    # The tests run together, with the flags of the package's own build.
    structuredCheck = withoutCgo // {
      __structuredAttrs = true;
      doCheck = true;
      tags = [
        "tagged"
        "more"
      ];
      checkFlags = [ "-skip=^TestNever$" ];
      preCheck = "touch checked";
      postInstall = "install -D checked $out/share/checked";
    };

    sourceRoot = withoutCgo // {
      src = ./testdata;
      sourceRoot = "testdata/tool";
    };

    modRoot = of "below" {
      modRoot = "server";
      env.CGO_ENABLED = 0;
    };

    subPackages = withoutCgo // {
      subPackages = [
        "cmd/tool"
        "shared"
      ];
    };

    subPackagesString = withoutCgo // { subPackages = "cmd/tool cmd/other"; };

    subPackagesPattern = withoutCgo // { subPackages = [ "cmd/o*" ]; };

    subPackagesFile = withoutCgo // { subPackages = [ "cmd/other/main.go" ]; };

    excludedPackages = withoutCgo // {
      excludedPackages = [
        "cmd/other"
        "elsewhere"
      ];
    };

    excludedPackagesString = withoutCgo // { excludedPackages = "cmd/other"; };

    excludedPackagesFile = withoutCgo // { excludedPackages = [ "cmd/other/main.go" ]; };

    tags = withoutCgo // {
      tags = [
        "tagged"
        "more"
      ];
    };

    modules = dep;

    proxyVendor = dep // {
      proxyVendor = true;
      vendorHash = "sha256-zrD0VVJPO9xsQzy1+ZyYoKScoRHUkBmqlFqwg0XU9zE=";
    };

    goSum = dep // { goSum = ./testdata/dep/go.sum; };

    vendored = of "vendored" {
      src = ../../examples/vendored;
      env.CGO_ENABLED = 0;
    };

    goModulesInHooks = dep // {
      postConfigure = ''
        ls "$goModules" > modules
      '';
      postInstall = ''
        install -D modules $out/share/modules
        cp $goModules/modules.txt $out/share
      '';
    };

    finalGoModules =
      build:
      build (
        final:
        dep
        // {
          passthru.modulesTwice = final.goModules;
          postInstall = ''
            mkdir -p $out/share
            cp ${final.goModules}/modules.txt $out/share
          '';
        }
      );

    vendorChanged = dep // {
      postConfigure = ''
        chmod -R u+w vendor/rsc.io
        substituteInPlace vendor/rsc.io/quote/quote.go --replace-fail 'Hello, world' Bye
      '';
    };

    overrideModAttrsOld = dep // {
      overrideModAttrs = old: {
        postBuild = old.postBuild or "" + "echo more >> vendor/more";
      };
      vendorHash = "sha256-j5KlMX/1g/nJUK2CWyUBS9UE4A1DM7WfnxMGg3oBu4I=";
    };

    overrideModAttrsFinal = dep // {
      overrideModAttrs = final: prev: {
        postBuild = prev.postBuild or "" + "echo more >> vendor/more";
      };
      vendorHash = "sha256-j5KlMX/1g/nJUK2CWyUBS9UE4A1DM7WfnxMGg3oBu4I=";
    };

    overrideModAttrsPassthru =
      build:
      (build dep).overrideAttrs (old: {
        vendorHash = "sha256-j5KlMX/1g/nJUK2CWyUBS9UE4A1DM7WfnxMGg3oBu4I=";
        passthru = old.passthru // {
          overrideModAttrs = final: prev: {
            postBuild = prev.postBuild or "" + "echo more >> vendor/more";
          };
        };
      });

    overrideName = build: (build dep).overrideAttrs { name = "renamed"; };

    overrideAttrs =
      build:
      (build (final: withoutCgo // {
        ldflags = [ "-X main.version=${final.version}" ];
      })).overrideAttrs
        (final: prev: {
          version = "2.0.0";
          ldflags = prev.ldflags ++ [ "-X main.note=${final.pname}" ];
          patches = [ ./testdata/fix.patch ];
        });

    allowGoReference = withoutCgo // { allowGoReference = true; };

    buildID = withoutCgo // { ldflags = [ "-buildid=abc" ]; };

    # The build information of the programs, with their flags, is the same, too.
    allowGoReferencePrepared = withoutCgo // {
      allowGoReference = true;
      ldflags = [ "-s" ];
      preBuild = "ldflags+=' -w'";
    };

    serial = withoutCgo // {
      enableParallelBuilding = false;
      postBuild = "echo $NIX_BUILD_CORES \${enableParallelBuilding-} > cores";
      postInstall = "install -D cores $out/share/cores";
    };

    variables = withoutCgo // {
      postBuild = ''
        {
          echo "$GOOS $GOARCH $CGO_ENABLED $GO111MODULE $GOTOOLCHAIN"
          echo "$enableParallelBuilding $modRoot $strictDeps"
          echo "$GOFLAGS|''${ldflags[*]}|$GOPROXY|$GOSUMDB"
        } > variables
      '';
      postInstall = "install -D variables $out/share/variables";
    };
  };
in
{
  more = functions (import ./more-forms.nix parts // import ./hook-forms.nix parts);
  forms = functions (import ./c-forms.nix parts // import ./test-forms.nix parts // forms);
}
