# SSH, for tests of remote builders: they start a server. Sourced by setup.sh.

# TARGET/root holds the packages, TARGET/bin the commands: the client's, sshd, and the two that it starts in turn.
setup_sshd() { # TARGET
  local target=$1 tmp=$1.tmp deb libs loader program
  say "fetching SSH from Debian's $suite suite"
  rm -rf "$tmp"
  mkdir -p "$tmp/root" "$tmp/bin"
  apt_fetch openssh-client openssh-server >"$tmp/list"
  while read -r deb; do
    case $deb in
      lib* | openssh-* | zlib1g_*) dpkg-deb -x "$apt/archives/$deb" "$tmp/root" ;;
    esac
  done <"$tmp/list"
  loader=$(prefix_loader "$tmp/root")
  libs=$(prefix_libs "$tmp/root" "$target/root")
  for program in usr/bin/ssh usr/bin/ssh-keygen usr/sbin/sshd usr/lib/openssh/sshd-session usr/lib/openssh/sshd-auth; do
    # The server wants to be called by its whole name.
    nix_wrapper "$target/bin/${program##*/}" "$target/root/$program" "$target/root/$loader" "$libs" \
      >"$tmp/bin/${program##*/}"
  done
  chmod +x "$tmp"/bin/*
  rm -rf "$target"
  mv -T "$tmp" "$target"
}
