# Records the changes that the phases of a package make to the variables of its C compiler, as shell code that makes the
# same changes in another build. Sourced before the phases. $dgdCompilerNames is an extended regular expression for the
# names of the variables.

declare -gA dgdCompilerWas=()
for dgdName in $(compgen -e | grep -xE "$dgdCompilerNames" || true); do
  dgdCompilerWas[$dgdName]=${!dgdName}
done

# Prints the shell code. Text that was added before or behind a value is added to the value in the other build, and paths
# below DIRECTORY become paths below OTHER.
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
