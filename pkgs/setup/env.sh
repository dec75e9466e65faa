# The environment of COMMAND. Sourced by with-nix and by the set-up, after the stamp's variables:
# nix_bin and sandbox_shell (empty: the machine's own Nix), packages (empty: the machine's own <nixpkgs>), go_bin.

# Puts TEXT in front of VARIABLE, and says so, for a with-nix inside of this one to take it back.
prepend() { # VARIABLE TEXT
  local -n variable=$1
  export "$1=$2${variable-}" "DGD_ADDED_$1=$2"
}

prepend PATH "${nix_bin:+$nix_bin:}${go_bin:+$go_bin:}"

if [[ $packages ]]; then
  prepend NIX_PATH "nixpkgs=$root/pkgs:dgd-debian=$packages:"
fi

# What the user configures comes later, and wins.
config="extra-experimental-features = nix-command flakes dynamic-derivations ca-derivations recursive-nix
"
export DGD_STORE_ROOT=
if [[ $nix_bin ]]; then
  store=local
  if ((EUID != 0)); then
    DGD_STORE_ROOT=$DGD_NIX_PREFIX/root
    store="local?root=$DGD_STORE_ROOT"
  fi
  config+="store = $store
build-users-group =
extra-system-features = recursive-nix
sandbox = true
sandbox-fallback = false
sandbox-paths = /bin/sh=$sandbox_shell
substituters =
max-jobs = 8
"
  export NIX_BIN_DIR=$nix_bin
  unset NIX_REMOTE NIX_STORE_DIR NIX_STATE_DIR NIX_LOG_DIR NIX_CONF_DIR
fi
prepend NIX_CONFIG "$config"

for bundle in "${NIX_SSL_CERT_FILE-}" "${SSL_CERT_FILE-}" /etc/ssl/certs/ca-certificates.crt; do
  if [[ -e $bundle ]]; then
    export NIX_SSL_CERT_FILE=$bundle
    break
  fi
done
unset bundle config store

# What the user has set with `go env -w`, for the derivations that fetch modules (impureEnvVars).
if [[ -r ${GOENV:-${XDG_CONFIG_HOME:-$HOME/.config}/go/env} ]]; then
  while IFS== read -r name value; do
    case $name in
      GOPROXY | GOSUMDB | GONOSUMDB | GONOPROXY | GOPRIVATE) [[ ${!name-} ]] || export "$name=$value" ;;
    esac
  done <"${GOENV:-${XDG_CONFIG_HOME:-$HOME/.config}/go/env}"
  unset name value
fi
