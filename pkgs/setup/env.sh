# The environment of COMMAND. Sourced by with-nix and by the set-up, which both have $root, the repository.
#
# A stamp file sets: nix_bin, sandbox_shell and slots (empty: the machine's own Nix serves), packages (empty: its own
# <nixpkgs> does), go_bin (empty: its own Go does), store_paths (files without which the set-up is not whole).
# $vm is <dgd-vm>, where somebody wants it.

# Puts TEXT in front of VARIABLE, instead of what was put there before.
prepend() { # VARIABLE TEXT
  local -n variable=$1 added=DGD_ADDED_$1
  variable=${variable-}
  variable=$2${variable/"${added-}"/}
  added=$2
  if [[ $variable ]]; then
    export "$1" "DGD_ADDED_$1"
  else
    unset "$1" "DGD_ADDED_$1"
  fi
}

# Takes back what a with-nix around this one has set.
leave() {
  local name
  for name in PATH NIX_PATH NIX_CONFIG; do
    prepend "$name" ""
  done
  if [[ ${DGD_STORE_ROOT+set} ]]; then
    unset NIX_BIN_DIR DGD_STORE_ROOT
  fi
}

# Reads STAMP, and tells whether all is there still.
ready() { # STAMP
  [[ -e $1 ]] || return 1
  . "$1"
  local path
  for path in $store_paths; do
    [[ -e $path ]] || return 1
  done
}

# The value of max-jobs. Before 2.35 Nix wakes all that waits for a slot each time one gets free, so that more slots
# than cores help; since then they cost time.
slots_for() { # NIX-VERSION CORES
  if printf '%s\n' 2.35 "$1" | sort --version-sort --check=quiet; then
    echo auto
  else
    echo $(($2 > 4 ? 2 * $2 : 8))
  fi
}

# The store folder as files of the machine: an ordinary user's store is in the prefix.
store_root() {
  if [[ $nix_bin ]] && ((EUID != 0)); then
    echo "$DGD_NIX_PREFIX/root"
  fi
}

enter() {
  prepend PATH "${nix_bin:+$nix_bin:}${go_bin:+$go_bin:}"
  prepend NIX_PATH "${packages:+nixpkgs=$root/pkgs:dgd-debian=$packages:}${vm:+dgd-vm=$vm:}"
  DGD_STORE_ROOT=$(store_root)
  export DGD_STORE_ROOT

  # What the user configures comes later, and wins.
  local config="extra-experimental-features = nix-command flakes dynamic-derivations ca-derivations recursive-nix
"
  if [[ $nix_bin ]]; then
    local store=local
    [[ ! $DGD_STORE_ROOT ]] || store="local?root=$DGD_STORE_ROOT"
    config+="store = $store
build-users-group =
extra-system-features = recursive-nix
sandbox = true
sandbox-fallback = false
sandbox-paths = /bin/sh=$sandbox_shell
substituters =
max-jobs = $slots
"
    export NIX_BIN_DIR=$nix_bin
    unset NIX_REMOTE NIX_STORE_DIR NIX_STATE_DIR NIX_LOG_DIR NIX_CONF_DIR
  fi
  prepend NIX_CONFIG "$config"

  local bundle
  for bundle in "${NIX_SSL_CERT_FILE-}" "${SSL_CERT_FILE-}" /etc/ssl/certs/ca-certificates.crt; do
    if [[ -e $bundle ]]; then
      export NIX_SSL_CERT_FILE=$bundle
      break
    fi
  done

  # What the user has set with `go env -w` is for the derivations that fetch modules, too (impureEnvVars).
  local name value settings=${GOENV:-${XDG_CONFIG_HOME:-${HOME-}/.config}/go/env}
  if [[ -r $settings ]]; then
    while IFS== read -r name value; do
      case $name in
        GOPROXY | GOSUMDB | GONOSUMDB | GONOPROXY | GOPRIVATE | GOFLAGS) [[ ${!name-} ]] || export "$name=$value" ;;
      esac
    done <"$settings"
  fi

  # `go test` gives a package's tests ten minutes, and a machine's first builds take longer.
  [[ ${GOFLAGS-} == *-timeout* ]] || export GOFLAGS="-timeout=60m${GOFLAGS:+ $GOFLAGS}"
}
