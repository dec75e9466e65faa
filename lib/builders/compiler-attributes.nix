# The final attributes of a package that concern the C compiler.
let
  inherit (import ../functions.nix) setOf;
in
rec {
  # The final attributes that concern the C compiler, without its inputs: those that stdenv turns into flags of the
  # compiler's wrapper, and variables that compilers, their wrappers and pkg-config read. With structured attributes a
  # variable is exported only if it is in `env`.
  attrs =
    final:
    builtins.intersectAttrs (setOf (
      [
        "strictDeps"
        "hardeningDisable"
        "hardeningEnable"
      ]
      ++ (if final.__structuredAttrs or false then [ ] else builtins.filter isCompilerVariable (builtins.attrNames final))
    )) final;
  isCompilerVariable = name: builtins.match variables name != null;
  variables = "NIX_.*|PKG_CONFIG.*|CC|CXX|CPATH|(C|CPLUS|OBJC)_INCLUDE_PATH|(LIBRARY|COMPILER|LD_RUN)_PATH|GCC_.*|SOURCE_DATE_EPOCH";

  # Whether shell code may set one of these variables: whether it has the name other than after a dollar sign.
  areSetIn =
    code:
    builtins.length (
      builtins.split "(^|[^[:alnum:]_\${])(NIX_[A-Z]|PKG_CONFIG|(CC|CXX)=|CPATH|(C|CPLUS|OBJC)_INCLUDE_PATH|(LIBRARY|COMPILER|LD_RUN)_PATH|GCC_|SOURCE_DATE_EPOCH)" code
    ) > 1;

  # The final attributes with inputs of the build, without buildInputs and nativeBuildInputs.
  inputs = builtins.intersectAttrs (setOf [
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
