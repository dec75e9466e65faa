# buildGoModule: takes the arguments of nixpkgs' function of that name. The result is an ordinary derivation of mkDerivation
# with all phases. Where nixpkgs runs `go install`, it copies programs that inner derivations have compiled and linked.
{
  pkgs,
  go, # the default toolchain
  goModule,
  vendor,
  lockedModules,
  patchModules,
  ifd,
  dynDrv,
  byPlan,
  cacheable,
  platform,
}:
let
  compilerAttributes = import ./compiler-attributes.nix;

  # The attributes that `buildGoModule.override` can change.
  defaults = {
    inherit go;
    inherit (pkgs) stdenv cacert gitMinimal;
    useDynDrv = false;
  };

  builder = tools: {
    override = change: builder (tools // (if builtins.isFunction change then change tools else change));
    __functor = _: build tools;
  };

  build =
    {
      go,
      stdenv,
      cacert,
      gitMinimal,
      useDynDrv,
    }:
    given:
    let
      # The names of attributes that mkDerivation adds to the final ones, such as finalPackage.
      added =
        (stdenv.mkDerivation (final: {
          name = "final-attributes";
          passthru.added = builtins.attrNames (removeAttrs final [ "name" "passthru" ]);
        })).added;
    in
    stdenv.mkDerivation (
      final:
      let
        args = goModule.complete { inherit useDynDrv; } (
          if builtins.isFunction given || given ? __functor then given final else given
        );
        # An argument as overrideAttrs may have changed it: the final attribute, if there is one.
        get = name: default: final.${name} or args.${name} or default;
        # dgd's own arguments. They become attributes of the derivation only if overrideAttrs sets them.
        own = builtins.intersectAttrs goModule.own (args // final);
        check = goModule.check (args // own // builtins.intersectAttrs args { vendorHash = final.vendorHash or null; });
        # The phases with defaults in this file. Whether overrideAttrs has changed one follows from its position, as the texts
        # of the defaults depend on the answer; but a changed buildPhase may be the default with code before or behind it.
        ownPhases = builtins.mapAttrs (name: _: args.${name} or null) {
          configurePhase = null;
          buildPhase = null;
          checkPhase = null;
        };
        isChanged = goModule.isElsewhere __curPos.file final;
        # Whether an attribute has a value other than its default.
        set =
          name:
          !builtins.elem (ownPhases.${name} or (get name null)) goModule.empty
          || builtins.elem name [ "configurePhase" "checkPhase" ] && isChanged name;
        when = condition: text: if condition then text else "";
        name = get "name" "${get "pname" ""}-${get "version" ""}";
        vendorHash = get "vendorHash" null;
        # `== true` leaves a value of a wrong type to the check.
        proxyVendor = get "proxyVendor" false == true;
        allowGoReference = get "allowGoReference" false == true;

        locked =
          if own.modules == null then
            null
          else
            lockedModules {
              inherit (own) modules;
              inherit (arguments) modRoot;
              inherit (goModule) fail;
              src = if prepares then null else arguments.here;
              inherit go;
              env = goEnv final;
            };

        # The fetched modules, which overrideAttrs may replace.
        goModules = if final.goModules == "" then null else final.goModules;
        fetched =
          if vendorHash == null then
            ""
          else
            vendor (
              {
                inherit name go vendorHash cacert gitMinimal;
                # Flags in GOFLAGS may concern modules, such as -modfile.
                env = goEnv final // builtins.intersectAttrs { GOFLAGS = null; } (final.env or { });
                overrideModAttrs = final.passthru.overrideModAttrs or (goModule.toExtension (args.overrideModAttrs or { }));
              }
              // builtins.intersectAttrs goModule.fetch (args // final)
            );

        # With a buildPhase of the user's own, everything is built in one derivation, as in nixpkgs.
        whole = set "buildPhase";
        say =
          value:
          if whole then
            builtins.trace "dgd.buildGoModule: ${name} sets buildPhase, so it builds as one derivation, as in nixpkgs" value
          else
            value;

        isPie = goModule.isPie stdenv final;
        # The flags of the variable GOFLAGS that the command line does not override: nixpkgs always gives -ldflags there, and
        # without proxyVendor its own -mod, the last one, wins.
        ofMod = if proxyVendor && own.modules == null then "vendor" else ".*";
        goFlags =
          builtins.filter (f: builtins.match "-trimpath|--?mod=${ofMod}|--?ldflags=.*" f == null) (goModule.words (final.env.GOFLAGS or ""))
          ++ (if isPie then [ "-buildmode=pie" ] else [ ]);

        # The environment of the go command: `env`, and the attributes that mkDerivation exports to it.
        goEnv =
          attrs:
          builtins.mapAttrs (_: toString) (
            platform.forHost (
              builtins.intersectAttrs goModule.goVariables attrs
              // removeAttrs (attrs.env or { }) [
              "GO111MODULE"
              "GOFLAGS"
              "GOTOOLCHAIN"
            ])
          );
        # The default of CGO_ENABLED. A toolchain may have cgo switched off (go.CGO_ENABLED).
        cgoEnabled =
          attrs: if platform.hasCgo (goEnv attrs) && toString (go.CGO_ENABLED or "1") != "0" then "1" else "0";
        env =
          standIns.put (goEnv final)
          // {
            CGO_ENABLED = if platform.hasCgo (goEnv final) then "1" else "0";
          }
          // (if goFlags == [ ] then { } else { GOFLAGS = builtins.concatStringsSep " " goFlags; });

        # Whether phases may change the sources or the arguments of the build. Then the derivation `prepared` runs them first.
        prepares =
          builtins.any set goModule.preparing
          || (vendorHash != null || own.modules != null) && set "deleteVendor"
          || !goModule.isDirectory (get "src" null)
          || builtins.any (tool: tool != go && goModule.mayHook tool) (get "nativeBuildInputs" [ ]);

        # The attributes that `prepared` does not get.
        notPrepared = goModule.notPreparing ++ builtins.attrNames goModule.own ++ added;
        # The shell code in attributes that runs before the build.
        hooks = builtins.filter builtins.isString (
          builtins.attrValues (
            removeAttrs final (notPrepared ++ builtins.attrNames ownPhases ++ [ "installPhase" ])
          )
          ++ builtins.attrValues ownPhases
        );
        # The shell code in attributes that runs after it.
        laterHooks = builtins.filter builtins.isString (
          map (name: final.${name} or null) (
            [ "installPhase" ] ++ builtins.filter (name: !(ownPhases ? ${name})) goModule.notPreparing
          )
        );
        # Whether the hooks may do something: a predicate on shell code. A configurePhase from overrideAttrs may do anything.
        mayDo = asks: builtins.any asks hooks || isChanged "configurePhase";
        changesCompiler = prepares && env.CGO_ENABLED == "1" && mayDo compilerAttributes.areSetIn;
        # Whether the phases have the modules in a vendor directory, and whether they may change it.
        vendors = goModules != null && !proxyVendor;
        changesModules = vendors && prepares && mayDo goModule.namesVendor;

        # Inner derivations do not know the paths of the package's outputs. They get placeholder paths of the same length,
        # which the build phase replaces in the programs that it copies.
        standIns = goModule.standIns {
          inherit (final.finalPackage) name;
          outputs = get "outputs" [ "out" ];
        };

        prepared = import ./prepared.nix {
          inherit
            stdenv
            name
            standIns
            changesCompiler
            vendors
            changesModules
            ;
          attrs = removeAttrs final notPrepared;
          packageName = final.finalPackage.name;
          contentAddressed = own.contentAddressed && own.useDynDrv;
          beforeAll = if set "phases" then "phases" else "prePhases";
        };

        arguments = {
          inherit
            go
            env
            goModules
            locked
            proxyVendor
            ;
          inherit (own) fallback plan;
          inner = import ../stages/inner.nix {
            inherit go allowGoReference;
            inherit (own) contentAddressed granularity;
            trimpath = !allowGoReference || builtins.elem "-trimpath" (goModule.words (final.env.GOFLAGS or ""));
          };
          inherit (goModule) fail;
          # The vendor directory after the phases, which includes the patches of moduleOverrides.
          vendored = if changesModules then prepared.vendored else null;
          src = if prepares then "${prepared}" else "${get "src" null}";
          here = if builtins.isPath (get "src" null) && !prepares then toString (get "src" null) else arguments.src;
          mayLink = !prepares && import ../may-link.nix (get "src" null);
          settings = if prepares then prepared.settings else null;
          deleteVendor = (goModules != null || locked != null) && get "deleteVendor" false;
          vendorHash = null;
          fetchHooks =
            builtins.any set goModule.ownHooks || builtins.any (name: goModule.hasVariables (get name "")) goModule.sharedHooks;
          modRoot = import ../relative.nix (get "modRoot" "./");
          subPackages = if set "subPackages" then goModule.words (get "subPackages" [ ]) else null;
          excludedPackages = goModule.words (get "excludedPackages" [ ]);
          libraries = true;
          tags = goModule.words (get "tags" [ ]);
          ldflags = standIns.put (get "ldflags" [ ]);
          gcflags = standIns.put (get "gcflags" [ ]);
          buildInputs = get "buildInputs" [ ];
          nativeBuildInputs = get "nativeBuildInputs" [ ];
          cgo = env.CGO_ENABLED == "1";
          cc = {
            inherit stdenv;
            attrs = compilerAttributes.attrs final;
            inputs = compilerAttributes.inputs final;
            changes = if changesCompiler then prepared.compiler else null;
            standIns = standIns.paths;
          };
          checkFlags = goModule.words (get "checkFlags" [ ]);
          nativeCheckInputs = get "nativeCheckInputs" [ ] ++ get "checkInputs" [ ];
          checkVariables = goModule.testVariables final;
          testPackages = arguments.subPackages;
          testData = own.testData;
        };
        # Whether tests run. As in mkDerivation, none do if the machine cannot execute the programs.
        checks = get "doCheck" true && (stdenv.buildPlatform.canExecute or (_: true)) stdenv.hostPlatform;
        # Whether each package's tests run in a derivation of their own: unless a phase, hook or flag concerns all together.
        checksApart =
          !whole
          && !builtins.any (tool: tool != go && goModule.bringsHook tool) (
            get "nativeBuildInputs" [ ] ++ arguments.nativeCheckInputs
          )
          && !builtins.any set goModule.checking
          && !mayDo goModule.exports
          && !goModule.exports (toString (get "postBuild" ""))
          && !builtins.any goModule.isOwnFlag (arguments.checkFlags ++ goFlags)
          && (own.plan == null || built.passthru.hasTests);
        built = (if own.plan != null then byPlan else if own.useDynDrv then dynDrv else ifd) arguments;
        # Whether the go command compiles in the phases, and whether without the overrides of modules: it reads the go.mod
        # and the archives of modules as they are.
        compiles = whole || checks && !checksApart || get "buildTestBinaries" false;
        unpatched =
          if !compiles then
            false
          else if locked != null then
            locked.raised != [ ]
          else
            proxyVendor && goModules != null && patchModules.any;

        # The default configurePhase.
        setUp = ''
          runHook preConfigure
          export GOCACHE=$TMPDIR/go-cache GOPATH=$TMPDIR/go GOPROXY=off GOSUMDB=off
          cd "$modRoot"
          ${
            if unpatched then
              goModule.fail "moduleOverrides cannot change what the go command compiles in the phases of ${name}: leave out ${
                if whole then
                  "buildPhase"
                else if get "buildTestBinaries" false then
                  "buildTestBinaries"
                else
                  "what runs all tests together, or set doCheck = false"
              }"
            else if locked != null then
              ''
                export GOMODCACHE=$TMPDIR/modules
                cp -r --no-preserve=mode ${locked.cache} "$GOMODCACHE"
              ''
            else if goModules == null then
              ""
            else if proxyVendor then
              "export GOPROXY=file://${goModules}"
            else
              ''
                rm -rf vendor
                ${
                  if whole || mayDo goModule.namesVendor || builtins.any goModule.namesVendor laterHooks then
                    "cp -r --reflink=auto"
                  else
                    "ln -s"
                } ${patchModules.vendor goModules} vendor
                dgdVendor=$PWD/vendor
              ''
          }
          ${when isPie ''export GOFLAGS="-buildmode=pie $GOFLAGS"''}
          source ${./go-dirs.sh}
          runHook postConfigure
        '';
      in
      removeAttrs args goModule.notForDerivation
      // {
          # As in nixpkgs: without `name`, mkDerivation makes one of pname and version.
          ${if args ? pname && args ? version && !(args ? name) then null else "name"} = check args.name;
          nativeBuildInputs = [ go ] ++ args.nativeBuildInputs or [ ];
          # Attributes that packages of nixpkgs' buildGoModule have, which hooks and other expressions may read.
          modRoot = args.modRoot or "./";
          vendorHash = args.vendorHash or null;
          deleteVendor = args.deleteVendor or false;
          proxyVendor = args.proxyVendor or false;
          goSum = args.goSum or null;
          goModules = fetched;
          allowGoReference = args.allowGoReference or false;
          # The check is here because mkDerivation evaluates this attribute before the name.
          enableParallelBuilding = check (say (args.enableParallelBuilding or true));
          env =
            let
              given =
                builtins.intersectAttrs {
                  GOOS = null;
                  GOARCH = null;
                } go
                // args.env or { };
            in
            given
            // {
              GO111MODULE = "on";
              GOTOOLCHAIN = "local";
              CGO_ENABLED = given.CGO_ENABLED or (cgoEnabled (args // { env = given; }));
              GOFLAGS = builtins.concatStringsSep " " (
                args.GOFLAGS or [ ]
                ++ (if proxyVendor || locked != null then [ ] else [ "-mod=vendor" ])
                ++ (if allowGoReference then [ ] else [ "-trimpath" ])
              );
            };
          ldflags = goModule.withBuildID (args.ldflags or [ ]);
          configurePhase = args.configurePhase or setUp;
          buildPhase =
            args.buildPhase or ''
              runHook preBuild
              source ${./go-dirs.sh}
              if [ ! "$enableParallelBuilding" ]; then
                export NIX_BUILD_CORES=1
              fi
              ${
                if get "buildTestBinaries" false then
                  ''
                    for dgdDir in $(getGoDirs ""); do
                      buildGoDir "test -c -o $GOPATH/bin/" "$dgdDir"
                    done
                  ''
                else
                  ''
                    ${when (built ? check) "# The plan is of these sources: ${built.check}"}
                    ${when (built.std or null != null) "# Compiled while the program is planned: ${built.std}"}
                    # A module of libraries has no programs.
                    if [ -e ${built.program}/bin ]; then
                      dgdBin=''${GOBIN:-$GOPATH/bin}
                      ${when (!platform.isCross) ''
                        # Where `go install` puts programs for another platform.
                        if [ ! "''${GOBIN-}" ] && [ "$(go env GOOS GOARCH)" != "$(go env GOHOSTOS GOHOSTARCH)" ]; then
                          dgdBin+=/$(go env GOOS)_$(go env GOARCH)
                        fi
                      ''}
                      mkdir -p "$dgdBin"
                      cp -r --no-preserve=mode ${built.program}/bin/. "$dgdBin"
                      chmod +x "$dgdBin"/*
                      ${standIns.replace "\"$dgdBin\""}
                    fi
                  ''
              }
              runHook postBuild
            '';
          doCheck = args.doCheck or (!(args.buildTestBinaries or false));
          checkPhase =
            args.checkPhase or ''
              runHook preCheck
              ${
                if !checks then
                  ""
                else if whole then
                  # As there: what runs the tests comes with the default buildPhase.
                  "echo 'dgd: buildPhase is not the default one, so that no tests run but those of a checkPhase or a hook' >&2"
                else if checksApart then
                  "cat ${built.tests.all}"
                else
                  ''
                    # As in nixpkgs: tests may look for their files by the paths in the program.
                    export GOFLAGS=''${GOFLAGS//-trimpath/}
                    for dgdDir in $(getGoDirs test); do
                      buildGoDir test "$dgdDir"
                    done
                  ''
              }
              runHook postCheck
            '';
          installPhase =
            args.installPhase or ''
              runHook preInstall
              mkdir -p $out
              if [ -e "$GOPATH/bin" ]; then
                cp -r "$GOPATH/bin" $out
              fi
              runHook postInstall
            '';
          strictDeps = true;
          disallowedReferences = args.disallowedReferences or [ ] ++ (if allowGoReference then [ ] else [ go ]);
          passthru = {
            inherit go;
            overrideModAttrs = goModule.toExtension (args.overrideModAttrs or { });
          }
          // (
            if whole then
              { }
            else
              {
                dgd = built.passthru // {
                  inherit (built) program;
                };
                inherit (built.passthru) modules;
                cacheable = cacheable arguments {
                  package = final.finalPackage;
                  stages = built.stages // (if checks && checksApart then built.testStages else { });
                };
              }
          )
          // args.passthru or { }
          // {
            tests = (if checksApart then built.tests else { }) // args.passthru.tests or { };
          };
          meta = (if go ? meta.platforms then { inherit (go.meta) platforms; } else { }) // args.meta or { };
        }
    );
in
builder defaults
