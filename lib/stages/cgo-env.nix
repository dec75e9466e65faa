# A file with the environment that stdenv sets up for a C compiler with the given inputs: NAME=VALUE, each ended by a NUL.
# The executor gives it to the programs that cgo packages run, and to tests.
{ pkgs }:
{
  name ? "cgo-env",
  stdenv ? pkgs.stdenv,
  attrs ? { }, # further attributes for mkDerivation, such as hardeningDisable
  env,
  buildInputs,
  nativeBuildInputs,
  # For linking the programs of a package: placeholder paths for its outputs, by name (see go-module.nix). stdenv adds the
  # package's own library directories to the run path of programs. Without this argument it adds none.
  standIns ? { },
  changes ? null, # shell code that changes these variables as the phases of a package do
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
        # The seed that stdenv derives from the output's path would make programs depend on this file's path.
        NIX_OUTPATH_USED_AS_RANDOM_SEED = "dgd-cgo-env";
      }
      // (if isPackage then { } else { NIX_NO_SELF_RPATH = "1"; });
    # Variables of this build itself, and those that differ between machines, are left out.
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
