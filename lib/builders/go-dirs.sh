# Functions of nixpkgs' buildGoModule, which the phases and hooks of packages may call. The variables that they read are
# strings or, with structured attributes, arrays.

# Prints the directories with Go files, or those of subPackages. With `test` it prints those with tests.
getGoDirs() { # ""|test
  local exclude='\(/_\|examples\|Godeps\|testdata' package
  if [[ ${subPackages[*]-} ]]; then
    for package in ${subPackages[@]}; do
      echo "./$package"
    done
    return
  fi
  for package in ${excludedPackages[@]-}; do
    exclude+="\\|$package"
  done
  find . -type f -name "*${1-}.go" -printf '%h\n' | grep -v /vendor/ | sort -u | grep -v "$exclude\\)" || true
}

# Runs the go command in one directory. A directory without Go files for this platform is not an error.
buildGoDir() { # install|test|"test -c …" DIRECTORY
  local flags=() words=(${tags[@]-}) said
  if ((${#words[@]})); then
    flags+=("-tags=$(IFS=,; echo "${words[*]}")")
  fi
  flags+=(${ldflags[*]:+-ldflags="${ldflags[*]}"} ${gcflags[*]:+-gcflags="${gcflags[*]}"} -p "${NIX_BUILD_CORES:-1}")
  if [[ $1 == test ]]; then
    flags+=(-vet=off ${checkFlags[@]-})
  fi
  if ! said=$(go $1 "${flags[@]}" "$2" 2>&1) &&
    ! grep -qE 'no (buildable |non-test )?Go (source )?files|build constraints exclude all Go files' <<<"$said"; then
    echo "$said" >&2
    return 1
  fi
  [[ ! $said ]] || echo "$said" >&2
}
