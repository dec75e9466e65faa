# The arguments of buildGoModule: their checks, and lists of those that concern the modules, the sources, the tests or
# dgd alone. All others go to mkDerivation unchecked.
{
  pkgs,
  argumentTable,
  nixLacks,
}:
let
  inherit (import ../functions.nix) setOf;
  table = argumentTable.buildGoModule;
  own = argumentTable.ownOfGoModule;
  fail = message: throw "dgd.buildGoModule: ${message}";
  warn = message: (import ../functions.nix).warn "dgd.buildGoModule: ${message}";
  # Arguments that nixpkgs' buildGoModule passes to the builder, where they have no effect, each with the advice for it.
  idle = {
    goPackagePath = "it is not needed";
    buildFlags = "use `ldflags`, `tags` and `GOFLAGS`";
    buildFlagsArray = "use `ldflags`, `tags` and `GOFLAGS`";
  };

  # Those of the names that an attribute set has.
  have = names: given: builtins.filter (name: given ? ${name}) names;
in
rec {
  inherit fail own;

  # Values that count as not set.
  empty = [
    null
    ""
    false
    [ ]
  ];

  # The arguments, completed with the defaults of dgd's own ones.
  complete =
    { useDynDrv }:
    given:
    if !builtins.isAttrs given then
      fail "the argument must be an attribute set, or a function of the final attributes that gives one"
    else
      builtins.mapAttrs (name: entry: entry.default or useDynDrv) own // given;

  # Attributes, or a function of the old or of the final and the old attributes, as a function of the final and the old
  # attributes.
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

  # Returns the value, or throws if an argument is wrong. The names of a derivation's attributes must not depend on this
  # check, as arguments may refer to final attributes.
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
      # Arguments without effect, in nixpkgs too: no error, so that definitions of nixpkgs evaluate.
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
      builtins.foldl' (value: message: warn message value) value warnings;

  # Variables that buildGoModule sets in `env`. mkDerivation refuses attributes of the same names.
  variables = [
    "CGO_ENABLED"
    "GO111MODULE"
    "GOARCH"
    "GOOS"
    "GOTOOLCHAIN"
  ];

  # The arguments that the fetch of the modules gets as well.
  fetch = setOf [
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

  # Hooks that run both in the fetch and in the build. They do the same in both unless they read variables: see
  # hasVariables.
  sharedHooks = [
    "prePatch"
    "postPatch"
    "preBuild"
  ];
  hasVariables = hook: hook != null && builtins.replaceStrings [ "$" ] [ "" ] hook != hook;

  # Attributes that change either the fetch or the sources, but not both.
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

  # Arguments that do not become attributes of the derivation: functions, dgd's own, and variables that `env` has.
  notForDerivation =
    variables
    ++ builtins.attrNames own
    ++ [
      "GOFLAGS"
      "overrideModAttrs"
    ];

  # Attributes that concern all tests together, so that these run in one derivation.
  checking = [
    "checkPhase"
    "preCheck"
    "postCheck"
    "preCheckHooks"
    "postCheckHooks"
    "allowGoReference"
  ];

  # Whether a flag of `go test` needs all tests in one derivation, such as one that writes a profile.
  isOwnFlag =
    flag:
    (import ../go-flags.nix).isOfAllTests flag
    || builtins.match "--?(test[.])?((block|cpu|mem|mutex)profile|trace)(=.*)?" flag != null;

  # Linker flags by nixpkgs' rule: programs have no build ID unless one of the elements begins with -buildid=.
  withBuildID =
    ldflags:
    ldflags ++ (if builtins.any (f: builtins.match "-buildid=.*" f != null) ldflags then [ ] else [ "-buildid=" ]);

  # Whether an attribute is defined in another file. Nix knows no position of an attribute that is defined on a command
  # line: then it is false.
  isElsewhere =
    file: attrs: name:
    let
      at = builtins.unsafeGetAttrPos name attrs;
    in
    at != null && at.file != file;

  # The words of a list or a string, split at white space as a shell does.
  words =
    value: builtins.filter (w: builtins.isString w && w != "") (builtins.split "[[:space:]]+" (toString value));

  # Attributes that can change the sources, or the arguments of `go install`, before it runs.
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

  # Whether a tool may bring a setup hook that changes the sources or the flags before the build. Evaluation does not see
  # what a hook does; the tools of this list are known to change nothing.
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

  # Whether an input, or one that it propagates, may bring a setup hook. The attributes of its derivation tell; without
  # these it may.
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

  # Whether shell code mentions the directory that has the modules.
  namesVendor = names "vendor";
  # Whether a text contains a word.
  names = word: text: builtins.replaceStrings [ word ] [ "" ] text != text;

  # Whether shell code exports a variable that tests may read, other than those of the go command.
  exports =
    code:
    builtins.any
      (
        part:
        builtins.isList part && builtins.match "(CGO_|GO[A-Z]|NIX_).*|ldflags|gcflags|tags|(sub|excluded)Packages" (builtins.elemAt part 1) == null
      )
      (builtins.split "(export|declare -x)[[:space:]]+([[:alnum:]_]+)" code);

  # The attributes that tests can read as environment variables: those in capital letters.
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

  # Attributes that the derivation of the prepared sources does not get: they concern the package's own build.
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

  # Variables of the go command and of cgo that attributes of mkDerivation may set. stdenv sets those that name programs.
  goVariables = removeAttrs (setOf (import ../go-flags.nix).variables) [
    "CC"
    "CXX"
    "FC"
    "GOFLAGS"
    "GOROOT"
    "PKG_CONFIG"
  ];

  # Nix has builtins.readFileType since 2.14.
  fileType = builtins.readFileType or (path: (builtins.readDir (dirOf path)).${baseNameOf path});

  # Whether the sources are a directory, not an archive that has to be unpacked. A derivation's name tells which.
  isDirectory =
    src:
    src != null
    && (
      builtins.isPath src && fileType src == "directory"
      || !builtins.isPath src && builtins.match ".*[.](tar|tgz|tbz2?|txz|zip|tar[.][a-z0-9]+)" (src.name or "${src}") == null
    );

  # Placeholder paths for a package's outputs, each as long as the output's path, so that programs can be linked before
  # the outputs are known.
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
      # The paths by the names of the outputs.
      paths = builtins.listToAttrs (
        map (output: {
          name = output;
          value = path output;
        }) outputs
      );

      # A value in whose strings Nix's placeholders of the outputs are replaced by these paths.
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

      # Shell code that exports a variable for each output.
      exports = each (output: "export ${output}=${path output}");

      # Shell code that replaces these paths by those of the outputs in all files below a directory.
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

  # Whether programs are position-independent by default: where the C library is musl or hardening asks for it, if
  # nixpkgs' own buildGoModule in this package set still does so.
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
          hardeningDisable = [ "pie" ]; # ends the recursion if that is this function
        }).configurePhase;
    in
    pkgs ? buildGoModule
    && !builtins.elem "pie" disabled
    && !builtins.elem "all" disabled
    && (stdenv.hostPlatform.isMusl or false || builtins.elem "pie" (args.hardeningEnable or [ ]))
    && builtins.replaceStrings [ "-buildmode=pie" ] [ "" ] phase != phase;
}
