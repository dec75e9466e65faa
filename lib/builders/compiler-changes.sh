# What a package's phases make of the variables of its C compiler, as shell code that makes the same of them in another
# build. Sourced before the phases, with the names as an extended regular expression in $dgdCompilerNames.

declare -gA dgdCompilerWas=()
for dgdName in $(compgen -e | grep -xE "$dgdCompilerNames" || true); do
  dgdCompilerWas[$dgdName]=${!dgdName}
done

# What was added before and behind a value is added there to any other; a place in the directory is named as one in the other.
dgdCompilerChanges() { # DIRECTORY OTHER
  local name is was
  for name in $(compgen -e | grep -xE "$dgdCompilerNames" || true); do
    is=${!name//"$1"/"$2"} was=${dgdCompilerWas[$name]-}
    if [[ $is == "$was" ]]; then
      continue
    elif [[ $was && $is == *"$was"* ]]; then
      printf 'export %s=%q"${%s-}"%q\n' "$name" "${is%%"$was"*}" "$name" "${is#*"$was"}"
    else
      printf 'export %s=%q\n' "$name" "$is"
    fi
  done
  for name in "${!dgdCompilerWas[@]}"; do
    [[ ${!name+set} ]] || echo "unset $name"
  done
}
