# Debian packages through the machine's own apt sources, in a private apt state.
# Sourced by setup.sh; $prefix is set, and $suite where it is not the package set's.

readonly suite=${suite:-forky}
if [[ $suite == forky ]]; then apt=$prefix/apt; else apt=$prefix/apt-$suite; fi
readonly apt

apt_get() { apt-get -qq -c "$apt/apt.conf" "$@"; }

# The URIs of the machine's own sources that have a component `main`, the likeliest Debian archive first.
apt_archives() {
  apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk '$2 == "main" && $1 !~ /security/ && !seen[$3]++ { print ($3 ~ /\/debian\/?$/ ? 0 : 1), $3 }' |
    sort -s -k1,1n | cut -d' ' -f2-
}

# Debian's own keys, where the machine has them; else apt's trusted ones.
apt_signed_by() {
  local key
  for key in "$apt"/keyring/usr/share/keyrings/debian-archive-keyring.{pgp,gpg} \
    /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
    if [[ -e $key ]]; then
      echo "Signed-By: $key"
      return
    fi
  done
}

# What the machine configures (proxies, certificates) holds here too; what it hooks, pins or installs does not.
apt_configure() {
  mkdir -p "$apt"/{lists/partial,archives/partial}
  : >"$apt/status"
  cat >"$apt/apt.conf" <<EOF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::NeverAutoRemove;
APT::Default-Release "$suite";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Etc::SourceList "$apt/debian.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$apt";
Dir::State::Lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
EOF
}

# A key of the suite that is newer than the machine's keyring comes with the machine's own suite.
apt_fetch_keyring() {
  local here=$apt/keyring.tmp
  rm -rf "$here"
  mkdir -p "$here/lists/partial"
  local own=(-qq -o "Dir::State::Lists=$here/lists" -o Acquire::Languages=none -o APT::Sandbox::User=root)
  apt-get "${own[@]}" update >&2 &&
    (cd "$here" && apt-get "${own[@]}" download debian-archive-keyring >&2) &&
    dpkg-deb -x "$here"/debian-archive-keyring_*.deb "$here" &&
    mv -T "$here" "$apt/keyring"
}

apt_update() {
  local uri tries
  for tries in 1 2; do
    while read -r uri; do
      cat >"$apt/debian.sources" <<EOF
Types: deb
URIs: $uri
Suites: $suite
Components: main
Architectures: $(dpkg --print-architecture)
Targets: Packages
$(apt_signed_by)
EOF
      if apt_get -o APT::Update::Error-Mode=any update >&2; then
        return
      fi
    done < <(apt_archives)
    if [[ $tries == 2 || -e $apt/keyring ]] || ! apt_fetch_keyring; then
      break
    fi
  done
  rm -f "$apt/debian.sources"
  fail "none of this machine's apt sources serves Debian's $suite suite with a signature that can be verified"
}

# The file names of PACKAGES… and of all that they depend on.
apt_closure() {
  apt_get --simulate install "$@" |
    sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*\[([a-z0-9]+)\]\).*/\1_\2_\3.deb/p' | sed 's/:/%3a/g'
}

# Puts PACKAGES… and their closure into $apt/archives and prints the file names. The package lists are kept,
# so that what belongs together comes from one state of the suite; they are renewed when they no longer serve.
apt_fetch() {
  apt_configure
  if [[ ! -e $apt/debian.sources ]] || ! apt_get --download-only install "$@" >&2 2>/dev/null; then
    apt_update
    apt_get --download-only install "$@" >&2 || fail "apt could not fetch: $*"
  fi
  apt_closure "$@"
}
