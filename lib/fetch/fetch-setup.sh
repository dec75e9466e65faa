# Sourced by derivations that fetch modules: sets up credentials and certificates for git and the go command.
export HOME=$TMPDIR/home
mkdir -p "$HOME"
export GIT_SSL_CAINFO=${GIT_SSL_CAINFO:-$SSL_CERT_FILE}
# A variable that the machine does not have is empty here, which git takes for a value.
for dgdName in GIT_CONFIG_GLOBAL GIT_SSH_COMMAND NETRC; do
  if [ -z "${!dgdName-}" ]; then unset "$dgdName"; fi
done
for dgdName in GIT_CONFIG_GLOBAL NETRC; do
  if [ -n "${!dgdName-}" ] && [ ! -r "${!dgdName}" ]; then
    echo "dgd: $dgdName is ${!dgdName}, which cannot be read in the sandbox: see \"Private modules\" in docs/modules.md" >&2
    exit 1
  fi
done
if [ -n "${NETRC-}" ]; then ln -sf "$NETRC" "$HOME/.netrc"; fi # git looks nowhere else
unset dgdName
