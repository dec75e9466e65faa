# Debian packages as store paths in nixpkgs' layout, with programs that run from the store.
# <dgd-debian> maps Debian's package names to store paths with the unpacked packages; with-nix makes it.
{ system }:

let
  debian = builtins.mapAttrs (_: builtins.storePath) (import <dgd-debian>);

  # Packages whose names carry a version, such as gcc-16.
  matching =
    pattern:
    map (name: debian.${name}) (
      builtins.filter (name: builtins.match pattern name != null) (builtins.attrNames debian)
    );

  build =
    name:
    {
      packages,
      layout,
      passthru ? { },
      ...
    }@args:
    let
      drv = derivation (
        {
          inherit name system;
          builder = "${debian.bash-static}/usr/bin/bash-static";
          args = [ ./build.sh ];
          busybox = "${debian.busybox-static}/usr/bin/busybox";
          patchelf = "${debian.patchelf}/usr/bin/patchelf";
          debian = builtins.attrValues debian;
          libs = "${glibc}/lib";
          patch = true;
        }
        // removeAttrs args [ "passthru" ]
      );
    in
    drv
    // {
      out = drv;
      dev = drv;
      lib = drv;
      meta = { };
      inherit passthru;
    }
    // passthru;

  # The hardening flags of the compiler's wrapper, by nixpkgs' names.
  defaultHardeningFlags = [
    "bindnow"
    "format"
    "fortify"
    "pic"
    "relro"
    "stackprotector"
    "strictoverflow"
  ];

  # The C library for programs, with the parts of gcc's runtime that a C program may need.
  glibc = build "glibc" {
    packages = [
      debian.libc6
      debian.libgcc-s1
      debian.libatomic1
    ];
    layout = ./libs.sh;
    libs = null;
    patch = false;
  };
in
rec {
  inherit glibc;

  # Statically linked, so that scripts of the package set need no other package.
  bash = build "bash" {
    packages = [ debian.bash-static ];
    layout = ./bash.sh;
  };

  coreutils = build "coreutils" {
    packages = [ debian.coreutils ];
    layout = ./bin.sh;
  };

  # The programs in the PATH of builds of the small stdenv, other than coreutils and the compiler.
  tools = build "tools" {
    packages = [
      debian.bzip2
      debian.diffutils
      debian.findutils
      debian.grep
      debian.gzip
      debian.make
      debian.mawk
      debian.patch
      debian.sed
      debian.tar
      debian.xz-utils
    ];
    layout = ./bin.sh;
  };

  patchelf = build "patchelf" {
    packages = [ debian.patchelf ];
    layout = ./bin.sh;
  };

  pkg-config = build "pkg-config" {
    packages = [ debian.pkgconf-bin ];
    layout = ./bin.sh;
  };

  # It lacks the commands that are written in Perl.
  gitMinimal = build "git" {
    packages = [ debian.git ];
    layout = ./git.sh;
    shell = "${bash}/bin/bash";
  };

  zlib = build "zlib" {
    packages = [
      debian.zlib1g
      debian.zlib1g-dev
    ];
    layout = ./libs.sh;
  };

  sqlite = build "sqlite" {
    packages = [
      debian.libsqlite3-0
      debian.libsqlite3-dev
    ];
    layout = ./libs.sh;
  };

  cacert = build "cacert" {
    packages = [ debian.cacert ];
    layout = ./cacert.sh;
  };

  # gcc, binutils, libc and kernel headers as one tree, which is its own --sysroot.
  gcc = build "gcc" {
    packages =
      matching "(binutils|cpp|g[+][+]|gcc)(-[0-9]+)?(-.*linux-gnu.*)?"
      ++ matching "(libgcc|libstdc[+][+])-[0-9]+-dev"
      ++ [
        debian.libc6-dev
        debian.linux-libc-dev
      ];
    layout = ./gcc.sh;
  };

  # gcc for bare derivations: it needs no environment variables, finds the C library in the store, and adds run paths to
  # programs.
  cc = build "cc" {
    packages = [ ];
    layout = ../cc/layout.sh;
    patch = false;
    inherit gcc glibc;
    cc_wrapper = ../cc/cc.sh;
    ld_wrapper = ../cc/ld.sh;
    wrapper = ../cc/wrapper.sh;
    hardening = builtins.concatStringsSep " " defaultHardeningFlags;
    bash = "${bash}/bin/bash";
    store = builtins.storeDir;
    passthru = {
      cc = gcc;
      libc = glibc;
      isGNU = true;
      isClang = false;
      targetPrefix = "";
      inherit defaultHardeningFlags;
    };
  };
}
