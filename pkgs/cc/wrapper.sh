# What the wrappers of compiler and linker have in common. As in nixpkgs they run under `set -eu`, and where stdenv says so
# (NIX_ENFORCE_PURITY) they let no folder through that belongs neither to the store nor to the build.

# Reports whether a path is impure. It reads the variables of a build, which thus have to be there.
badPath() { # PATH
  [[ $1 == /* ]] || return 1
  local store=$NIX_STORE top=$NIX_BUILD_TOP folder
  for folder in "$store" "$top" /tmp "${TMP-/tmp}" "${TMPDIR-/tmp}" "${TEMP-/tmp}" "${TEMPDIR-/tmp}"; do
    [[ $1 != "$folder"* ]] || return 1
  done
  [[ $1 != /dev/null ]]
}

# Sets arguments to those that are pure: the options take a folder, in their own word or in the next one.
pureArguments() { # OPTIONS… -- ARGUMENTS…
  local options=() option
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  arguments=("$@")
  [[ ${NIX_ENFORCE_PURITY-} == 1 ]] || return 0
  arguments=()
  while (($#)); do
    for option in "${options[@]}"; do
      if [[ $1 == "$option" && $# -gt 1 ]]; then
        badPath "$2" || arguments+=("$1" "$2")
        shift 2
        continue 2
      elif [[ $1 == "$option"/* ]]; then
        badPath "${1#"$option"}" || arguments+=("$1")
        shift
        continue 2
      fi
    done
    arguments+=("$1")
    shift
  done
}
