# What buildGoModule knows about its arguments: which it checks, and what each is for. Arguments that are not here go
# where mkDerivation's go.
{
  pkgs,
  argumentTable,
  platform,
  nixLacks,
}:
let
  table = argumentTable.buildGoModule;
  own = argumentTable.ownOfGoModule;
  fail = message: throw "dgd.buildGoModule: ${message}";
  set = names: builtins.listToAttrs (map (name: { inherit name; value = null; }) names);
  # Arguments that nixpkgs hands on to the builder, where they have no effect.
  idle = {
    goPackagePath = "it is not needed";
    buildFlags = "use `ldflags`, `tags` and `GOFLAGS`";
    buildFlagsArray = "use `ldflags`, `tags` and `GOFLAGS`";
  };
  # Nix has builtins.warn since 2.23.
  warn = message: (builtins.warn or (words: builtins.trace "warning: ${words}")) "dgd.buildGoModule: ${message}";

  have = names: given: builtins.filter (name: given ? ${name}) names;
in
rec {
  inherit fail own;

  # A value that is as good as none.
  empty = [
    null
    ""
    false
    [ ]
  ];

  # The arguments with dgd's own, which mkDerivation does not know.
  complete =
    { useDynDrv }:
    given:
    if !builtins.isAttrs given then
      fail "the argument must be an attribute set, or a function of the final attributes that gives one"
    else
      builtins.mapAttrs (name: entry: entry.default or useDynDrv) own // given;

  # A change of attributes in its one form, a function of the final and the old ones.
  toExtension =
    change: final: old:
    let
      changed = change old;
    in
    if !builtins.isFunction change then
      change
    else if builtins.isFunction changed then
      change final old
    else
      changed;

  # The value, if the arguments are right. Which attributes there are must not depend on it: they may refer to the final
  # ones.
  check =
    given: value:
    let
      wrong = builtins.filter (name: !table.${name}.type.check given.${name}) (have (builtins.attrNames table) given);
      misplaced = have variables given;
      isLocked = given.modules or null != null;
      ofFetch = [
        "proxyVendor"
        "overrideModAttrs"
        "modPostBuild"
        "modConfigurePhase"
        "modBuildPhase"
        "modInstallPhase"
      ];
      flagsWith =
        prefix:
        builtins.filter (f: builtins.substring 0 (builtins.stringLength prefix) f == prefix) (given.GOFLAGS or [ ]);
      # What nixpkgs takes, too, and does nothing by.
      warnings =
        map (name: "the argument `${name}` has no effect: ${idle.${name}}") (have (builtins.attrNames idle) given)
        ++ map (
          flag:
          if given.proxyVendor or false then
            "the argument `GOFLAGS` has ${flag}: `proxyVendor` builds in module mode without it"
          else
            "the argument `GOFLAGS` has ${flag}, which has no effect: use `proxyVendor` to build in module mode"
        ) (flagsWith "-mod=")
        ++ (
          if given.deleteVendor or false && !isLocked && given.vendorHash == null then
            [ "the argument `deleteVendor` has no effect: `vendorHash` is null, so that nothing takes the place of a vendor directory" ]
          else
            [ ]
        );
    in
    if !(given ? name) && !(given ? pname && given ? version) then
      fail "the argument `pname` with `version`, or `name`, is missing"
    else if !(given ? src || given ? srcs) then
      fail "the argument `src` is missing: the sources, with a go.mod"
    else if given ? vendorSha256 && !(given ? vendorHash) && !isLocked then
      fail "the argument `vendorSha256` was removed: use `vendorHash`"
    else if !(given ? vendorHash) && !isLocked then
      fail "the argument `vendorHash` is missing: set it to \"\" and Nix will report the correct hash, or to null where src has a vendor directory or needs no modules; or give `modules`, a lock that `dgd lock` writes"
    else if wrong != [ ] then
      fail "the argument `${builtins.head wrong}` must be ${table.${builtins.head wrong}.type.words}"
    else if given.env or { } ? GOFLAGS then
      fail "the argument `env` sets GOFLAGS: use the argument `GOFLAGS`, a list"
    else if misplaced != [ ] then
      fail "the argument `${builtins.head misplaced}` is a variable of the go command: set env.${builtins.head misplaced}"
    else if isLocked && given.vendorHash or null != null then
      fail "`modules` and `vendorHash` are both given: a lock has a hash for each module, leave out `vendorHash`"
    else if isLocked && have ofFetch given != [ ] then
      fail "`modules` and `${builtins.head (have ofFetch given)}` are both given: with a lock each module is fetched by itself, and the build is in module mode"
    else if given.useDynDrv && nixLacks.dynDrv != null then
      fail "`useDynDrv`: ${nixLacks.dynDrv}"
    else if given.contentAddressed && nixLacks.contentAddressed != null then
      fail "`contentAddressed` ${nixLacks.contentAddressed}"
    else
      builtins.foldl' (value: words: warn words value) value warnings;

  # Variables that buildGoModule sets in `env` itself, where mkDerivation takes no attribute of that name.
  variables = [
    "CGO_ENABLED"
    "GO111MODULE"
    "GOARCH"
    "GOOS"
    "GOTOOLCHAIN"
  ];

  # What the fetch of the modules takes over.
  fetch = set [
    "src"
    "goSum"
    "proxyVendor"
    "deleteVendor"
    "modRoot"
    "nativeBuildInputs"
    "patches"
    "patchFlags"
    "prePatch"
    "postPatch"
    "preBuild"
    "sourceRoot"
    "setSourceRoot"
    "modPostBuild"
    "modConfigurePhase"
    "modBuildPhase"
    "modInstallPhase"
  ];

  # What changes the fetch and the sources alike; but variables can differ.
  sharedHooks = [
    "prePatch"
    "postPatch"
    "preBuild"
  ];
  hasVariables = hook: hook != null && builtins.replaceStrings [ "$" ] [ "" ] hook != hook;

  # What changes the fetch alone, or the sources alone.
  ownHooks = [
    "overrideModAttrs"
    "modPostBuild"
    "modConfigurePhase"
    "modBuildPhase"
    "modInstallPhase"
    "unpackPhase"
    "preUnpack"
    "postUnpack"
    "patchPhase"
    "prePhases"
    "preConfigurePhases"
    "configurePhase"
    "preConfigure"
    "postConfigure"
    "preBuildPhases"
    "phases"
  ];

  # What mkDerivation must not see: functions, and what is for dgd alone.
  notForDerivation =
    variables
    ++ builtins.attrNames own
    ++ [
      "GOFLAGS"
      "overrideModAttrs"
    ];

  # What is said or done to all tests together.
  checking = [
    "checkPhase"
    "preCheck"
    "postCheck"
    "preCheckHooks"
    "postCheckHooks"
    "allowGoReference"
  ];

  # Flags of `go test` that ask for more than that the tests run, such as files that they leave behind.
  isOwnFlag =
    flag:
    (import ../go-flags.nix).isOfAllTests flag
    || builtins.match "--?(test[.])?((block|cpu|mem|mutex)profile|trace)(=.*)?" flag != null;

  # Whether flags of the linker give a build ID.
  hasBuildID = builtins.any (f: builtins.match "-buildid=.*" f != null);

  # Whether an attribute is said in another file. Of one in no file, as on a command line, Nix does not know.
  isElsewhere =
    file: attrs: name:
    let
      at = builtins.unsafeGetAttrPos name attrs;
    in
    at != null && at.file != file;

  # The words of a list or a string, as a shell splits them.
  words =
    value: builtins.filter (w: builtins.isString w && w != "") (builtins.split "[[:space:]]+" (toString value));

  # What changes the sources before `go install` runs, or what it is given.
  preparing = [
    "srcs"
    "patches"
    "sourceRoot"
    "setSourceRoot"
    "dontUnpack"
    "unpackCmd"
    "unpackPhase"
    "preUnpack"
    "postUnpack"
    "patchPhase"
    "prePatch"
    "postPatch"
    "prePhases"
    "preConfigurePhases"
    "configurePhase"
    "preConfigure"
    "postConfigure"
    "preBuildPhases"
    "preBuild"
    "phases"
  ];

  # Tools may bring a setup hook, which can change the sources or the flags, and evaluation does not see it. Of these
  # it is known that they do not before the build.
  mayHook =
    input:
    input != null
    && !(
      builtins.isAttrs input
      && builtins.elem (input.pname or (builtins.parseDrvName (input.name or "")).name) [
        "bash"
        "git"
        "git-minimal"
        "install-shell-files"
        "make-binary-wrapper-hook"
        "make-shell-wrapper-hook"
        "make-wrapper"
        "pkg-config"
        "pkg-config-wrapper"
        "version-check"
        "version-check-hook"
      ]
    );

  # Whether an input brings a setup hook that acts in phases: its recipe says so, or that of what it propagates. Of what
  # has no recipe it is not known.
  bringsHook =
    input:
    let
      recipe = input.drvAttrs;
      propagated = builtins.concatMap (name: recipe.${name} or [ ]) [
        "propagatedBuildInputs"
        "propagatedNativeBuildInputs"
        "depsTargetTargetPropagated"
      ];
    in
    mayHook input
    && (
      !(input ? drvAttrs)
      || recipe.setupHook or null != null
      || recipe.setupHooks or [ ] != [ ]
      || builtins.any (value: builtins.isString value && names "setup-hook" value) (builtins.attrValues recipe)
      || builtins.any bringsHook propagated
    );

  # Whether shell code says the name of the directory that has the modules.
  namesVendor = names "vendor";
  names = word: text: builtins.replaceStrings [ word ] [ "" ] text != text;

  # Whether shell code exports a variable that tests may read, beside those of the go command.
  exports =
    code:
    builtins.any
      (
        part:
        builtins.isList part && builtins.match "(CGO_|GO[A-Z]|NIX_).*|ldflags|gcflags|tags|(sub|excluded)Packages" (builtins.elemAt part 1) == null
      )
      (builtins.split "(export|declare -x)[[:space:]]+([[:alnum:]_]+)" code);

  # Attributes that are variables, as tests see them: by the way in which they are written.
  testVariables =
    final:
    if final.__structuredAttrs or false then
      { }
    else
      builtins.listToAttrs (
        map (name: {
          inherit name;
          value = toString final.${name};
        }) (builtins.filter (name: builtins.match "[A-Z][A-Z0-9_]*" name != null && final.${name} != null) (builtins.attrNames final))
      );

  # Attributes that the preparation leaves out: what is about the package's own build.
  notPreparing = [
    "checkPhase"
    "preCheck"
    "postCheck"
    "postBuild"
    "preInstall"
    "postInstall"
    "preFixup"
    "postFixup"
    "fixupPhase"
    "installCheckPhase"
    "preInstallCheck"
    "postInstallCheck"
    "preInstallPhases"
    "preFixupPhases"
    "preDistPhases"
    "postPhases"
    "nativeCheckInputs"
    "checkInputs"
    "nativeInstallCheckInputs"
    "installCheckInputs"
    "setOutputFlags"
    "disallowedReferences"
    "allowedReferences"
    "disallowedRequisites"
    "allowedRequisites"
    "outputChecks"
    "passthru"
    "meta"
  ];

  # Variables of the go command, and of cgo, that mkDerivation's attributes may set.
  # stdenv itself sets those that name programs.
  goVariables = removeAttrs (set (import ../go-flags.nix).variables) [
    "CC"
    "CXX"
    "FC"
    "GOFLAGS"
    "GOROOT"
    "PKG_CONFIG"
  ];

  # Nix has builtins.readFileType since 2.14.
  fileType = builtins.readFileType or (path: (builtins.readDir (dirOf path)).${baseNameOf path});

  # Whether the sources can be read as they are. An archive has to be unpacked; a fetcher's name tells.
  isDirectory =
    src:
    src != null
    && (
      builtins.isPath src && fileType src == "directory"
      || !builtins.isPath src && builtins.match ".*[.](tar|tgz|tbz2?|txz|zip|tar[.][a-z0-9]+)" (src.name or "${src}") == null
    );

  # Paths that stand for a package's outputs, as long as these are.
  standIns =
    { name, outputs }:
    let
      path =
        output:
        "${builtins.storeDir}/${
          builtins.substring 0 32 (builtins.hashString "sha256" "dgd: ${name}!${output}")
        }-${name}${if output == "out" then "" else "-${output}"}";
      each = f: builtins.concatStringsSep "\n" (map f outputs);
    in
    rec {
      # By the outputs' names.
      paths = builtins.listToAttrs (
        map (output: {
          name = output;
          value = path output;
        }) outputs
      );

      # What strings of a value say of the outputs, said of the stand-ins.
      put =
        value:
        if builtins.isString value then
          builtins.replaceStrings (map builtins.placeholder outputs) (map path outputs) value
        else if builtins.isList value then
          map put value
        else if builtins.isAttrs value && !(value ? outPath) && !(value ? __toString) then
          builtins.mapAttrs (_: put) value
        else
          value;

      # Shell code: variables of the outputs' names.
      exports = each (output: "export ${output}=${path output}");

      # Shell code: makes the stand-ins in the files below a directory the outputs.
      replace =
        dir:
        each (output: ''
          if [ ''${#${output}} != ${toString (builtins.stringLength (path output))} ]; then
            echo "dgd: ${"$" + output} is not as long as ${path output}" >&2
            exit 1
          fi
          LC_ALL=C find ${dir} -type f -exec grep -qF ${path output} {} \; -exec sed -i "s|${path output}|${"$" + output}|g" {} +
        '');
    };

  # As in nixpkgs, as long as it did so: where the C library is musl, or hardening asks for it. Its own builder tells.
  isPie =
    stdenv: args:
    let
      disabled = args.hardeningDisable or [ ];
      phase =
        (pkgs.buildGoModule {
          pname = "pie";
          version = "0";
          src = ./.;
          vendorHash = null;
          hardeningDisable = [ "pie" ]; # should it be this very function
        }).configurePhase;
    in
    pkgs ? buildGoModule
    && !builtins.elem "pie" disabled
    && !builtins.elem "all" disabled
    && (stdenv.hostPlatform.isMusl or false || builtins.elem "pie" (args.hardeningEnable or [ ]))
    && builtins.replaceStrings [ "-buildmode=pie" ] [ "" ] phase != phase;
}
