# stdenv.mkDerivation, with an attribute set or a function of the final attributes.
{
  system,
  stdenv,
  bash,
}:

let
  # What is for Nix, not for the builder.
  notForBuilder = [
    "env"
    "meta"
    "passthru"
    "pos"
  ];

  inputs = [
    "nativeBuildInputs"
    "buildInputs"
    "propagatedBuildInputs"
    "propagatedNativeBuildInputs"
    "nativeCheckInputs"
    "checkInputs"
    "nativeInstallCheckInputs"
    "depsBuildBuild"
  ];

  # The output with headers and libraries of a library that has several, else the package.
  dev = input: input.dev or input;

  mkDerivation =
    attrsOrFunction:
    if builtins.isFunction attrsOrFunction then fromFunction attrsOrFunction else fromFunction (_: attrsOrFunction);

  fromFunction =
    function:
    let
      attrs = function (attrs // { finalPackage = package; });

      name =
        attrs.name or (
          if attrs ? pname then
            "${attrs.pname}-${attrs.version or (throw "mkDerivation: pname without version")}"
          else
            throw "mkDerivation: neither name nor pname"
        );

      isList = names: builtins.filter (input: attrs ? ${input}) names;

      drv = derivation (
        {
          inherit name system stdenv;
          outputs = [ "out" ];
          builder = "${bash}/bin/bash";
          args = [
            "-e"
            ./builder.sh
          ];
        }
        // removeAttrs attrs notForBuilder
        // builtins.listToAttrs (
          map (input: {
            name = input;
            value = map dev (builtins.filter (value: value != null) attrs.${input});
          }) (isList inputs)
        )
        // attrs.env or { }
      );

      passthru = attrs.passthru or { };

      extra = {
        inherit name passthru;
        meta = attrs.meta or { };
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
      }
      // builtins.intersectAttrs {
        pname = null;
        version = null;
        src = null;
      } attrs;

      outputs = builtins.listToAttrs (
        map (output: {
          name = output;
          value = drv.${output} // extra // passthru;
        }) drv.outputs
      );

      package =
        if attrs.__structuredAttrs or false then
          throw "mkDerivation: __structuredAttrs is not supported by the embedded package set (${name})"
        else
          drv // outputs // extra // passthru;
    in
    package;
in
mkDerivation
