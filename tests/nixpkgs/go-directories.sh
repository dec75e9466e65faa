# Which directories the go command is run on, and how: rules 8 and 10 of build-go-module.nix. Sourced in the build phase.

getGoDirs() { # ""|test
  local word left_out='/_\|examples\|Godeps\|testdata'
  if [[ ${subPackages-} ]]; then
    for word in ${subPackages[*]}; do
      echo "./$word"
    done
    return
  fi
  for word in ${excludedPackages[*]-}; do
    left_out+="\\|$word"
  done
  find . -name "*$1.go" -type f -printf '%h\n' | sort -u | sed "\\#/vendor/#d; \\#$left_out#d" |
    grep . # none is a failure, as it is with nixpkgs where a hook calls this
}

buildGoDir() { # COMMAND DIRECTORY
  local flags=(-p "$NIX_BUILD_CORES") selection=${tags[*]-} said failed=
  [[ ! $selection ]] || flags+=("-tags=${selection// /,}")
  [[ ! ${ldflags[*]-} ]] || flags+=("-ldflags=${ldflags[*]}")
  [[ $1 != test ]] || flags+=(-vet=off ${checkFlags[*]-})
  said=$(go $1 "${flags[@]}" $2 2>&1) || failed=1
  [[ ! $said ]] || echo "$said" >&2
  [[ ! $failed ]] || grep -qE 'no( buildable| non-test)? Go (source )?files|constraints exclude all Go' <<<"$said"
}
