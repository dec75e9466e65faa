# buildGoModule by nixpkgs' rules, for package sets that have none. It follows these rules, which are those of nixpkgs in
# August 2026:
#
#  1. The argument is an attribute set, or a function (also a __functor) of the final attributes that gives one. All of it goes on to
#     mkDerivation, but for overrideModAttrs. `vendorHash`, `proxyVendor`, `deleteVendor`, `goSum`, `allowGoReference`
#     and what concerns the sources are read from the final attributes, so that overrideAttrs changes them; the flags,
#     the phases and buildTestBinaries from the argument.
#  2. `goModules` is an attribute of the derivation, "" where vendorHash is null. It is a fixed-output derivation,
#     NAME-go-modules, whose name ends in -HASH, that of the store path of go.sum, where `goSum` is given. It has the
#     package's native inputs, sources, patches, `preBuild` and env; `modPostBuild` is its postBuild.
#  3. It holds what `go mod vendor` writes, or with proxyVendor the download cache without the checksum database. A
#     vendor directory in the sources is an error, or with deleteVendor goes away first; so is an empty result.
#  4. passthru.overrideModAttrs of the final attributes changes it, as the argument of overrideAttrs does; the argument
#     of the builder is that attribute's default, in one of its forms: attributes, old: …, final: prev: ….
#  5. env has GO111MODULE, GOTOOLCHAIN, GOOS and GOARCH, CGO_ENABLED of the caller's env or else the toolchain's, and
#     GOFLAGS, which the caller gives as a list: -mod=vendor without proxyVendor, -trimpath without allowGoReference.
#  6. ldflags end in -buildid=, unless one of them sets it.
#  7. The configure phase goes to modRoot, makes the modules the vendor directory or the proxy, and tells Go's linker
#     the loader of the C compiler.
#  8. Each directory with Go files is installed by itself: those of subPackages, else all but the ones of vendor
#     directories and those that match /_, examples, Godeps, testdata or excludedPackages. One without Go files for the
#     platform is passed over.
#  9. With buildTestBinaries the test program of each directory is built in its place, and doCheck is off by default.
# 10. The check phase tests the directories with tests, with checkFlags, without vet and without -trimpath.
# 11. The result is what is in GOPATH's bin, and may not refer to Go, unless allowGoReference says so.
# 12. strictDeps is on, whatever the argument says. So is enableParallelBuilding by default; without it, one core builds.
#
# There is one difference: without cgo, Go's build cache has some packages of the standard library from the start, so that
# not every package compiles them again. The cache is keyed by contents. (With cgo it does not take into account all of the
# environment of a C compiler.)
{
  pkgs,
  go ? pkgs.go,
}:
let
  inherit (pkgs) stdenv;
  when = condition: value: if condition then value else "";
  startsWith = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;

  # Attributes, or a function of the old or of the final and the old attributes, as a function of the final and the old
  # attributes.
  extension =
    change: final: prev:
    let
      once = change prev;
    in
    if !builtins.isFunction change then
      change
    else if builtins.isFunction once then
      change final prev
    else
      once;

  # The hash in a store path.
  hashOf = path: builtins.substring 0 32 (builtins.unsafeDiscardStringContext (baseNameOf "${path}"));

  standard = pkgs.stdenvNoCC.mkDerivation {
    name = "standard-library-cache";
    nativeBuildInputs = [ go ];
    buildCommand = ''
      export HOME=$TMPDIR GOCACHE=$out GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0
      go build -trimpath net os/user testing
      go build testing testing/internal/testdeps
    '';
  };

  fetch =
    final: args:
    stdenv.mkDerivation (
      builtins.mapAttrs (name: default: final.${name} or default) {
        src = null;
        modRoot = "./";
        goSum = null;
        prePatch = "";
        patches = [ ];
        patchFlags = [ ];
        postPatch = "";
        preBuild = "";
        sourceRoot = "";
        setSourceRoot = "";
        env = { };
      }
      // {
        name =
          (final.name or "${final.pname}-${final.version}")
          + "-go-modules"
          + when (final.goSum != null) "-${hashOf final.goSum}";
        nativeBuildInputs = final.nativeBuildInputs or [ ] ++ [
          go
          (pkgs.gitMinimal or pkgs.git)
          pkgs.cacert
        ];
        postBuild = final.modPostBuild or "";
        SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
        impureEnvVars = [
          "GOPROXY"
          "GOSUMDB"
          "GONOSUMDB"
          "http_proxy"
          "https_proxy"
          "no_proxy"
        ];
        configurePhase =
          args.modConfigurePhase or ''
            runHook preConfigure
            export GOCACHE=$TMPDIR/go-cache GOPATH=$TMPDIR/go
            cd "$modRoot"
            runHook postConfigure
          '';
        buildPhase =
          args.modBuildPhase or ''
            runHook preBuild
            ${when final.deleteVendor "rm -r vendor"}
            if [[ -e vendor ]]; then
              echo "the sources have a vendor directory" >&2
              exit 1
            fi
            ${if final.proxyVendor then "go mod download" else "go mod vendor"}
            mkdir -p vendor
            runHook postBuild
          '';
        installPhase =
          args.modInstallPhase or ''
            runHook preInstall
            ${
              if final.proxyVendor then
                ''
                  rm -rf $GOPATH/pkg/mod/cache/download/sumdb
                  cp -r $GOPATH/pkg/mod/cache/download $out
                ''
              else
                "cp -r vendor $out"
            }
            rmdir $out 2>/dev/null && exit 1
            runHook postInstall
          '';
        dontFixup = true;
        outputHashMode = "recursive";
        outputHash = final.vendorHash;
        outputHashAlgo = if final.vendorHash == "" then "sha256" else null;
      }
    );

  attributes =
    final: args:
    removeAttrs args [ "overrideModAttrs" ]
    // {
      modRoot = args.modRoot or "./";
      vendorHash = args.vendorHash;
      deleteVendor = args.deleteVendor or false;
      proxyVendor = args.proxyVendor or false;
      goSum = args.goSum or null;
      goModules =
        if final.vendorHash == null then "" else (fetch final args).overrideAttrs final.passthru.overrideModAttrs;
      nativeBuildInputs = [ go ] ++ args.nativeBuildInputs or [ ];
      env = args.env or { } // {
        GO111MODULE = "on";
        GOTOOLCHAIN = "local";
        inherit (go) GOOS GOARCH;
        CGO_ENABLED = args.env.CGO_ENABLED or go.CGO_ENABLED;
        GOFLAGS = toString (
          args.GOFLAGS or [ ]
          ++ (if final.proxyVendor then [ ] else [ "-mod=vendor" ])
          ++ (if final.allowGoReference then [ ] else [ "-trimpath" ])
        );
      };
      enableParallelBuilding = args.enableParallelBuilding or true;
      ldflags =
        args.ldflags or [ ]
        ++ (if builtins.any (startsWith "-buildid=") (args.ldflags or [ ]) then [ ] else [ "-buildid=" ]);
      configurePhase =
        args.configurePhase or ''
          runHook preConfigure
          export GOCACHE=$TMPDIR/go-cache GOPATH=$TMPDIR/go GOPROXY=off GOSUMDB=off
          ${when (toString final.env.CGO_ENABLED == "0") "cp -r --no-preserve=mode ${standard} $GOCACHE"}
          if [[ -f ''${NIX_CC_FOR_TARGET-}/nix-support/dynamic-linker ]]; then
            export GO_LDSO=$(<"$NIX_CC_FOR_TARGET/nix-support/dynamic-linker")
          fi
          cd "$modRoot"
          ${
            when (final.vendorHash != null) (
              if final.proxyVendor then
                "export GOPROXY=file://$goModules"
              else
                ''
                  rm -rf vendor
                  cp -r "$goModules" vendor
                ''
            )
          }
          runHook postConfigure
        '';
      buildPhase =
        args.buildPhase or ''
          runHook preBuild
          source ${./go-directories.sh}
          [[ ''${enableParallelBuilding-} ]] || export NIX_BUILD_CORES=1
          for directory in $(getGoDirs ""); do
            ${
              if args.buildTestBinaries or false then
                ''buildGoDir "test -c -o $GOPATH/bin/" "$directory"''
              else
                ''buildGoDir install "$directory"''
            }
          done
          runHook postBuild
        '';
      doCheck = args.doCheck or (!(args.buildTestBinaries or false));
      checkPhase =
        args.checkPhase or ''
          runHook preCheck
          export GOFLAGS=''${GOFLAGS//-trimpath/}
          for directory in $(getGoDirs test); do
            buildGoDir test "$directory"
          done
          runHook postCheck
        '';
      installPhase =
        args.installPhase or ''
          runHook preInstall
          mkdir -p $out
          if [[ -e $GOPATH/bin ]]; then
            cp -r $GOPATH/bin $out
          fi
          runHook postInstall
        '';
      strictDeps = true;
      allowGoReference = args.allowGoReference or false;
      disallowedReferences = if final.allowGoReference then [ ] else [ go ];
      passthru = {
        inherit go;
        overrideModAttrs = extension (args.overrideModAttrs or { });
      }
      // args.passthru or { };
      meta = (if go ? meta.platforms then { inherit (go.meta) platforms; } else { }) // args.meta or { };
    };
in
{
  override =
    change:
    import ./build-go-module.nix (
      { inherit pkgs go; } // (if builtins.isFunction change then change { inherit go; } else change)
    );
  __functor =
    _: given: stdenv.mkDerivation (final: attributes final (if builtins.isFunction given || given ? __functor then given final else given));
}
