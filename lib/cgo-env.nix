# The environment of a C compiler with the given inputs, as stdenv sets it up: a file of NUL-separated variables, which
# the executor gives to the programs of cgo packages and to tests, and to no other.
{ pkgs }:
{
  name ? "cgo-env",
  env,
  buildInputs,
  nativeBuildInputs,
}:
pkgs.stdenv.mkDerivation {
  inherit name;
  inherit buildInputs nativeBuildInputs;
  # The programs that are linked with it are not this derivation's own.
  env = env // {
    NIX_NO_SELF_RPATH = "1";
  };
  # What belongs to this build, or differs between machines, stays out.
  buildCommand = ''
    unset buildCommand out outputs name builder system shell TMP TMPDIR TEMP TEMPDIR NIX_BUILD_TOP NIX_BUILD_CORES \
      NIX_LOG_FD PWD OLDPWD SHLVL HOME initialPath passAsFile buildCommandPath
    dgd_out=${builtins.placeholder "out"}
    env -0 | while IFS= read -r -d "" v; do
      case $v in
        _=* | dgd_out=* | NIX_NO_SELF_RPATH=*) ;;
        *) printf '%s\0' "$v" ;;
      esac
    done > "$dgd_out"
  '';
}
