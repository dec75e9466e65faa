# The final attributes of a package that concern the C compiler.
let
  names = list: builtins.listToAttrs (map (name: { inherit name; value = null; }) list);
in
rec {
  # Of final attributes, those that concern a C compiler beside its inputs: those of which stdenv makes flags of the
  # compiler's wrapper, and variables that compilers, their wrappers and pkg-config read. With structured attributes a
  # variable is exported only where it is in `env`.
  attrs =
    final:
    builtins.intersectAttrs (names (
      [
        "strictDeps"
        "hardeningDisable"
        "hardeningEnable"
      ]
      ++ (if final.__structuredAttrs or false then [ ] else builtins.filter isCompilerVariable (builtins.attrNames final))
    )) final;
  isCompilerVariable = name: builtins.match variables name != null;
  variables = "NIX_.*|PKG_CONFIG.*|CC|CXX|CPATH|(C|CPLUS|OBJC)_INCLUDE_PATH|(LIBRARY|COMPILER|LD_RUN)_PATH|GCC_.*|SOURCE_DATE_EPOCH";

  # Whether shell code may set one of these: it names it, and not only its value.
  areSetIn =
    code:
    builtins.length (
      builtins.split "(^|[^[:alnum:]_\${])(NIX_[A-Z]|PKG_CONFIG|(CC|CXX)=|CPATH|(C|CPLUS|OBJC)_INCLUDE_PATH|(LIBRARY|COMPILER|LD_RUN)_PATH|GCC_|SOURCE_DATE_EPOCH)" code
    ) > 1;

  # Of final attributes, the inputs of a build that mkDerivation knows beside buildInputs and nativeBuildInputs.
  inputs = builtins.intersectAttrs (names [
    "depsBuildBuild"
    "depsBuildBuildPropagated"
    "depsBuildTarget"
    "depsBuildTargetPropagated"
    "depsHostHost"
    "depsHostHostPropagated"
    "depsTargetTarget"
    "depsTargetTargetPropagated"
    "propagatedBuildInputs"
    "propagatedNativeBuildInputs"
  ]);
}
