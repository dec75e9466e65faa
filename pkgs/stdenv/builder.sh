# With structured attributes the environment has nothing but the name of this file.
if [[ -e ${NIX_ATTRS_SH_FILE-} ]]; then
  . "$NIX_ATTRS_SH_FILE"
fi
. "$stdenv/setup"
genericBuild
