# The end of the phases that prepare a package's sources: what is unpacked becomes $dgdPrepared, and $dgdSettings, beside what
# dgd-settings has, says where in it the phases are and would run the go command. $dgdCompiler, where it is asked for, says
# what they made of the variables of the C compiler.
#
# All of what was unpacked stays, also what is above or beside sourceRoot: a go.work, a vendor directory, headers. Where
# that is one directory, it is the sources itself.
[ ! -L vendor ] || rm vendor
dgdHere=$PWD
cd "$NIX_BUILD_TOP"
dgdHere=$(realpath --relative-to=. "$dgdHere")
dgdTop=${dgdHere%%/*}
if [ "$dgdTop" = .. ]; then
  echo "dgd: the phases before the build end in $PWD/$dgdHere, which is outside of the sources" >&2
  exit 1
fi
for dgdEntry in *; do
  case $dgdEntry in
    "$dgdTop" | env-vars | dgd-settings | go | go-cache | modules) ;;
    *) [ ! -d "$dgdEntry" ] || dgdTop=. ;;
  esac
done
if [ "$dgdTop" = . ]; then
  mkdir "$dgdPrepared"
  for dgdEntry in *; do
    case $dgdEntry in
      env-vars | dgd-settings | go | go-cache | modules) ;;
      *) cp -r "$dgdEntry" "$dgdPrepared" ;;
    esac
  done
else
  cp -r "$dgdTop" "$dgdPrepared"
  dgdHere=${dgdHere#"$dgdTop"}
  dgdHere=${dgdHere#/}
fi
{
  printf '%s\0' "sources=$(realpath "$dgdTop")" "modRoot=${dgdHere:-.}"
  cat dgd-settings
} > "$dgdSettings"
if [ -n "${dgdCompiler-}" ]; then
  dgdCompilerChanges "$(realpath "$dgdTop")" "$dgdPrepared" > "$dgdCompiler"
fi
