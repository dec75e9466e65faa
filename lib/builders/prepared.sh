# The end of the phases that prepare a package's sources: what is unpacked becomes $dgdPrepared, and $dgdSettings, beside what
# dgd-settings has, says where in it the phases are and would run the go command. $dgdCompiler, where it is asked for, says
# what they made of the variables of the C compiler.
#
# All of what was unpacked stays, also what is above or beside sourceRoot: a go.work, a vendor directory, headers. Where
# that is one directory, it is the sources itself.
# Where $dgdVendors says so, modules were put into a vendor directory, which is no part of the sources. $dgdVendored, where
# it is asked for, is what the phases made of it.
dgdVendor=${dgdVendor:-$PWD/vendor}
if [ -n "${dgdVendored-}" ]; then
  mkdir "$dgdVendored"
  if [ -d "$dgdVendor" ]; then
    cp -r "$dgdVendor/." "$dgdVendored"
    [ -L "$dgdVendor" ] || chmod -R u+w "$dgdVendor"
    rm -r "$dgdVendor"
  fi
elif [ -n "${dgdVendors-}" ] && [ -L "$dgdVendor" ]; then
  rm "$dgdVendor"
elif [ -n "${dgdVendors-}" ] && [ -e "$dgdVendor" ]; then
  echo "dgd: the phases before the build changed the vendor directory, which no hook names: so that dgd builds with what they made, name it in one, as in postConfigure = \": vendor\"" >&2
  exit 1
fi
dgdHere=$PWD
cd "$NIX_BUILD_TOP"
dgdHere=$(realpath --relative-to=. "$dgdHere")
dgdTop=${dgdHere%%/*}
if [ "$dgdTop" = .. ]; then
  echo "dgd: the phases before the build end in $PWD/$dgdHere, which is outside of the sources" >&2
  exit 1
fi
# A symbolic link with an absolute target would lead nowhere from where the sources will be. One into the sources becomes
# relative; what one into the store leads to comes along, beside the sources: there no pattern of a module finds it. The
# link of an earlier nix-build is none of it.
dgdLinks=$(find "$dgdTop" -type l -lname "$NIX_STORE/*" ! -name 'result*' -exec test -e {} \; -print -quit)
if [ "$dgdLinks" ]; then dgdTop=.; fi
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
dgdSources=$(realpath "$dgdTop")
find "$dgdPrepared" -type l -lname '/*' ! -name 'result*' -print0 | while IFS= read -r -d "" dgdLink; do
  dgdTarget=$(readlink "$dgdLink")
  case $dgdTarget in
    "$dgdSources"/*) dgdTo=$dgdPrepared/${dgdTarget#"$dgdSources"/} ;;
    "$NIX_STORE"/*)
      [ -e "$dgdTarget" ] || continue
      dgdTo=$dgdPrepared/_linked/${dgdTarget#"$NIX_STORE"/}
      if [ ! -e "$dgdTo" ]; then
        mkdir -p "$(dirname "$dgdTo")"
        # It fails where links lead nowhere.
        cp -rL "$dgdTarget" "$dgdTo" || { chmod -R u+w "$dgdTo" && rm -rf "$dgdTo" && continue; }
        chmod -R u+w "$dgdTo"
      fi
      ;;
    *) continue ;;
  esac
  ln -sfn "$(realpath -ms --relative-to="$(dirname "$dgdLink")" "$dgdTo")" "$dgdLink"
done
{
  printf '%s\0' "sources=$dgdSources" "modRoot=${dgdHere:-.}"
  cat dgd-settings
} > "$dgdSettings"
if [ -n "${dgdCompiler-}" ]; then
  dgdCompilerChanges "$(realpath "$dgdTop")" "$dgdPrepared" > "$dgdCompiler"
fi
