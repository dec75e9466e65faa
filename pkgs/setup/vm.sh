# A virtual machine's kernel and packages, and the emulator that runs it, for tests/vmtest.nix. Sourced by setup.sh,
# which was called where Nix is.

# What belongs to PACKAGES…, unpacked into FOLDER as one tree: it is used as it is in a machine of its own, and outside
# through the tree's own loader.
vm_unpack() { # FOLDER PACKAGES…
  local deb
  mkdir -p "$1"
  apt_fetch "${@:2}" >"$1.list"
  while read -r deb; do
    # Perl comes with Nix, and what starts a system with the kernel; the test needs neither.
    case $deb in
      perl* | libperl* | lib*-perl_* | systemd* | libsystemd-shared* | dracut* | debconf_*) ;;
      *) dpkg-deb -x "$apt/archives/$deb" "$1" ;;
    esac
  done <"$1.list"
  rm -rf "$1"/usr/share/{applications,bash-completion,bug,doc,icons,info,lintian,locale,man} "$1"/usr/lib/*/gconv
}

# TARGET/default.nix names two store paths.
setup_vm() { # TARGET
  local target=$1 tmp=$1.tmp added
  type -P nix-store >/dev/null || fail "--vm is for inside: with-nix $setup/setup.sh --vm"
  say "fetching a virtual machine from Debian's $suite suite"
  rm -rf "$tmp"
  mkdir -p "$tmp/unpacked"
  vm_unpack "$tmp/unpacked/vm-emulator" qemu-system-x86 erofs-utils e2fsprogs
  vm_unpack "$tmp/unpacked/vm-machine" linux-image-cloud-amd64 nix-bin bash-static busybox-static
  rm -rf "$tmp"/unpacked/vm-emulator/usr/bin/qemu-{system-i386,system-x86_64-microvm,*-helper}
  added=$(cd "$tmp/unpacked" && nix-store --add vm-emulator vm-machine)
  nix-store --realise --add-root "$target.roots/root" $added >/dev/null
  printf '{\n  emulator = "%s";\n  machine = "%s";\n}\n' $added >"$tmp/default.nix"
  rm -rf "$tmp/unpacked" "$target"
  mv -T "$tmp" "$target"
}

vm_whole() { # TARGET
  [[ -e $1/default.nix ]] && sed -nE 's/.* = "(.*)";/\1/p' "$1/default.nix" | xargs nix-store --check-validity 2>/dev/null
}
