# The environment of a C compiler with the given inputs, as stdenv sets it up: a file of NUL-separated variables, which
# the executor gives to the programs of cgo packages and to tests, and to no other.
{ pkgs }:
{
  name ? "cgo-env",
  stdenv ? pkgs.stdenv,
  attrs ? { }, # what else mkDerivation is told, such as hardeningDisable
  env,
  buildInputs,
  nativeBuildInputs,
  # For the link of a package's programs: paths that stand for its outputs, by their names. stdenv tells the linker that
  # programs find libraries in the package itself. Without them the environment is that of no package.
  standIns ? { },
  changes ? null, # shell code with what a package's phases make of these variables
}:
let
  isPackage = standIns != { };
in
stdenv.mkDerivation (
  attrs
  // {
    inherit name buildInputs nativeBuildInputs;
    env =
      env
      // removeAttrs standIns [ "out" ]
      // {
        # Neither a program nor the seed of a compiler may depend on this file's path.
        NIX_OUTPATH_USED_AS_RANDOM_SEED = "dgd-cgo-env";
      }
      // (if isPackage then { } else { NIX_NO_SELF_RPATH = "1"; });
    # Variables that belong to this build, or differ between machines, stay out.
    buildCommand = ''
      dgd_out=$out
      ${if changes == null then "" else "source ${changes}"}
      dgd_unset='${builtins.concatStringsSep " " (builtins.attrNames standIns)}'
      unset buildCommand out outputs name builder system shell TMP TMPDIR TEMP TEMPDIR NIX_BUILD_TOP NIX_BUILD_CORES \
        NIX_LOG_FD PWD OLDPWD SHLVL HOME initialPath passAsFile buildCommandPath \
        NIX_OUTPATH_USED_AS_RANDOM_SEED NIX_NO_SELF_RPATH $dgd_unset
      env -0 | while IFS= read -r -d "" v; do
        case $v in
          _=*) ;;
          *) printf '%s\0' "''${v//"$dgd_out"/${standIns.out or "$dgd_out"}}" ;;
        esac
      done > "$dgd_out"
    '';
  }
)
