# The last phase of the derivation of prepared sources. Its outputs are the unpacked files ($dgdPrepared), the settings of
# dgd-settings with the directory in which the phases would run the go command ($dgdSettings), and if it is set, the
# changes to the variables of the C compiler ($dgdCompiler).
#
# All unpacked files are part of the output, also those above or beside sourceRoot, such as a go.work, a vendor directory
# or headers. If the only unpacked file is a directory, the output is that directory.
# If $dgdVendors is set, the phases have put the modules into a vendor directory, which is not part of the sources. If it
# is set, $dgdVendored is an output with that directory.
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
  echo "dgd: the phases before the build changed the vendor directory, which no hook mentions: to build with the changed directory, mention it in a hook, as in postConfigure = \": vendor\"" >&2
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
# Symlinks with absolute targets would be dangling in the output. A symlink into the sources becomes relative. The target
# of a symlink into the store is copied to a directory beside the sources, where no package pattern matches it. A symlink
# result* of an earlier nix-build is left as it is.
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
