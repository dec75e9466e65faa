# stdenv.mkDerivation, for an attribute set or a function of the final attributes. It refuses and changes the same arguments
# as that of nixpkgs, as far as dgd depends on it: see docs/design.md.
{
  system,
  stdenv,
  bash,
  defaultHardeningFlags,
}:

let
  knownHardeningFlags = defaultHardeningFlags ++ [
    "stackclashprotection"
    "zerocallusedregs"
  ];

  # Arguments of mkDerivation that the builder does not get.
  notForBuilder = [
    "env"
    "meta"
    "passthru"
    "pos"
    "checkInputs"
    "nativeCheckInputs"
    "installCheckInputs"
    "nativeInstallCheckInputs"
    "allowedReferences"
    "allowedRequisites"
    "disallowedReferences"
    "disallowedRequisites"
  ];

  outputChecks = [
    "allowedReferences"
    "allowedRequisites"
    "disallowedReferences"
    "disallowedRequisites"
  ];

  # The output with headers and libraries of a library that has several, else the package.
  dev = input: input.dev or input;

  # A path that must not be built for a check.
  untracked =
    input:
    if input.type or "" == "derivation" && !(input.__contentAddressed or false) then
      builtins.unsafeDiscardStringContext input.outPath
    else
      input;

  optionals = condition: list: if condition then list else [ ];
  subtract = these: builtins.filter (x: !builtins.elem x these);
  show = value: if builtins.isString value then ''"${value}"'' else builtins.toJSON value;

  mkDerivation =
    attrsOrFunction:
    if builtins.isFunction attrsOrFunction then fromFunction attrsOrFunction else fromFunction (_: attrsOrFunction);

  # The variables in `env`. It is an error if one of them is an argument as well.
  checkedEnv =
    name: env: arguments:
    let
      overlapping = builtins.attrNames (builtins.intersectAttrs env arguments);
      isValue = v: builtins.isString v || builtins.isBool v || builtins.isInt v || v.type or "" == "derivation";
      wrong = builtins.filter (n: !isValue env.${n}) (builtins.attrNames env);
    in
    if overlapping != [ ] then
      throw "The `env` attribute set cannot contain any attributes passed to derivation. The following attributes are overlapping:\n${
        builtins.concatStringsSep "\n" (
          map (n: "  - ${n}: in `env`: ${show env.${n}}; in derivation arguments: ${show arguments.${n}}") overlapping
        )
      }"
    else if wrong != [ ] then
      throw "The `env` attribute set can only contain derivation, string, boolean or integer attributes. The `${builtins.head wrong}` attribute is of type ${
        builtins.typeOf env.${builtins.head wrong}
      }."
    else
      env;

  # The attributes of the derivation that follow from the arguments, without env.
  derivationArguments =
    name: attrs:
    let
      structured = attrs.__structuredAttrs or false;
      doCheck = attrs.doCheck or false;
      doInstallCheck = attrs.doInstallCheck or false;
      outputs = attrs.outputs or [ "out" ];
      inputs = list: map dev (builtins.filter (value: value != null) list);

      enable = attrs.hardeningEnable or [ ];
      disable = attrs.hardeningDisable or [ ];
      unknownFlags = subtract (knownHardeningFlags ++ [ "pie" ]) (enable ++ subtract [ "all" ] disable);
      hardening = if builtins.elem "all" disable then [ ] else subtract disable (defaultHardeningFlags ++ enable);

      checks = builtins.mapAttrs (_: map untracked) (
        builtins.intersectAttrs (builtins.listToAttrs (
          map (check: {
            name = check;
            value = null;
          }) outputChecks
        )) attrs
      );
    in
    if unknownFlags != [ ] then
      abort "mkDerivation was called with unsupported hardening flags: ${toString unknownFlags}"
    else
      {
        inherit system stdenv;
        builder = "${bash}/bin/bash";
        args = [
          "-e"
          ./builder.sh
        ];
        __ignoreNulls = true;
        strictDeps = false;
        patches = [ ];
        propagatedBuildInputs = [ ];
        propagatedNativeBuildInputs = [ ];
        depsBuildBuild = [ ];
      }
      // removeAttrs attrs notForBuilder
      // {
        inherit name outputs doCheck doInstallCheck;
        __structuredAttrs = structured;
        nativeBuildInputs = inputs (
          attrs.nativeBuildInputs or [ ]
          ++ optionals doCheck (attrs.nativeCheckInputs or [ ])
          ++ optionals doInstallCheck (attrs.nativeInstallCheckInputs or [ ])
        );
        buildInputs = inputs (
          attrs.buildInputs or [ ]
          ++ optionals doCheck (attrs.checkInputs or [ ])
          ++ optionals doInstallCheck (attrs.installCheckInputs or [ ])
        );
        ${if enable != [ ] || disable != [ ] then "NIX_HARDENING_ENABLE" else null} = toString hardening;
        ${if attrs.enableParallelBuilding or false then "enableParallelChecking" else null} =
          attrs.enableParallelChecking or true;
        ${if attrs.enableParallelBuilding or false then "enableParallelInstalling" else null} =
          attrs.enableParallelInstalling or true;
      }
      // (
        if structured then
          {
            outputChecks = builtins.listToAttrs (
              map (output: {
                name = output;
                value = checks;
              }) outputs
            );
          }
        else
          checks
      );

  fromFunction =
    function:
    let
      attrs = function (
        attrs
        // {
          finalPackage = package;
          inherit overrideAttrs;
        }
      );

      name =
        attrs.name or (
          if attrs ? pname then
            "${attrs.pname}-${attrs.version or (throw "mkDerivation: pname without version")}"
          else
            throw "mkDerivation: neither name nor pname"
        );

      arguments = derivationArguments name attrs;
      env = checkedEnv name (attrs.env or { }) arguments;
      drv = derivation (arguments // (if arguments.__structuredAttrs then { inherit env; } else env));

      overrideAttrs =
        change:
        fromFunction (
          final:
          let
            previous = function final;
            changed = if builtins.isFunction change then change final else change;
            changedOld = if builtins.isFunction change then change previous else change;
          in
          previous // (if builtins.isFunction changed then changed previous else changedOld)
        );

      passthru = attrs.passthru or { };

      extra = {
        inherit name passthru overrideAttrs;
        meta = attrs.meta or { };
      };

      outputs = builtins.listToAttrs (
        map (output: {
          name = output;
          value = drv.${output} // extra // passthru;
        }) drv.outputs
      );

      package = drv // outputs // extra // passthru;
    in
    package;
in
mkDerivation
