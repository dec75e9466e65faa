# What each example is built with, and in `expect` what its programs, one after the other, print; null where they
# cannot run here. Everything else is an argument of the builders.
{ pkgs, fetchGoModule }:
let
  examples = {
    hello = {
      src = ./hello;
      expect = ''
        hello, world
      '';
    };

    hello-nocgo = examples.hello // {
      env.CGO_ENABLED = "0";
    };

    # The source is in the store before dgd sees it.
    store-source = examples.hello // {
      src = builtins.path {
        path = ./hello;
        name = "store-source";
      };
    };

    dep = {
      src = ./dep;
      vendorHash = "sha256-GXzvOFjgfHvYr0caUAa/VmriJnXvYjAvTE/pRnuNFgk=";
      expect = ''
        Don't communicate by sharing memory, share memory by communicating.
        IJsland
      '';
    };

    cgo = {
      src = ./cgo;
      expect = ''
        preamble: 70
        C file: 14
        libm: 1.260
        errno: numerical argument out of domain
      '';
    };

    cgo-pkg-config = {
      src = ./cgo-pkg-config;
      buildInputs = [ pkgs.zlib ];
      nativeBuildInputs = [ pkgs.pkg-config ];
      expect = ''
        crc32: 62505e13
        compress: true
        smaller: true
        expand: true
        same: true
      '';
    };

    cgo-cxx = {
      src = ./cgo-cxx;
      expect = ''
        sorted by C++: apple fig pear
      '';
    };

    net = {
      src = ./net;
      expect = ''
        cgo: true
        address: 192.0.2.42 in 192.0.2.0/24
        user: user: unknown user nobody has this name
      '';
    };

    net-nocgo = {
      src = ./net;
      env.CGO_ENABLED = "0";
      expect = ''
        cgo: false
        address: 192.0.2.42 in 192.0.2.0/24
        user: user: unknown user nobody has this name
      '';
    };

    cgo-symbols = {
      src = ./cgo-symbols;
      expect = ''
        counted across packages: 42
      '';
    };

    cgo-srcdir = {
      src = ./cgo-srcdir;
      expect = ''
        sides: 6
        cube root: 3.0
      '';
    };

    packages = {
      src = ./packages;
      expect = ''
        circle: 3.14
        square: 4.00
      '';
    };

    subpackage = {
      src = ./subpackage;
      subPackage = "cmd/b";
      expect = ''
        program b
      '';
    };

    subpackages = {
      src = ./subpackage;
      subPackages = [
        "cmd/a"
        "cmd/b"
      ];
      expect = ''
        program a
        program b
      '';
    };

    embed = {
      src = ./embed;
      expect = ''
        string: an embedded note without a newline at its end
        bytes: 45
        pattern: note.txt (45 bytes)
        pattern: with space.txt (20 bytes)
        directory: site/css/style.css (19 bytes)
        directory: site/index.html (15 bytes)
        all: site/.hidden (7 bytes)
        all: site/_drafts/draft.txt (6 bytes)
        all: site/css/style.css (19 bytes)
        all: site/index.html (15 bytes)
        all: with space.txt (20 bytes)
      '';
    };

    asm = {
      src = ./asm;
      expect = ''
        sum: 10
        pair: 42
      '';
    };

    asm-generic = examples.asm // {
      env = {
        CGO_ENABLED = "0";
        GOOS = "linux";
        GOARCH = "riscv64";
      };
      expect = null;
    };

    constraints = {
      src = ./constraints;
      tags = [ "extra" ];
      expect = ''
        system by file name: true
        processor by file name: true
        tags: with extra
        expression: not extra and more
      '';
    };

    constraints-no-tags = {
      src = ./constraints;
      expect = ''
        system by file name: true
        processor by file name: true
        tags: without extra
        expression: not extra and more
      '';
    };

    # `go mod vendor` copies the replacement too, so there is a hash although nothing is fetched.
    replace = {
      src = ./replace;
      vendorHash = "sha256-Z4y2ZderV1K29yCc7ADz7EN7NyZkiD/9PFFjwpElfl4=";
      expect = ''
        hello, replaced module
        hello, dear replaced module
      '';
    };

    internal = {
      src = ./internal;
      expect = ''
        secret: 42
        public: built on a detail
      '';
    };

    generics = {
      src = ./generics;
      expect = ''
        max: 24.5 °C
        map: [21.5 °C 18.0 °C 24.5 °C]
        iterator: 0 ONE
        iterator: 1 TWO
      '';
    };

    vendored = {
      src = ./vendored;
      expect = ''
        ["wrap" "this text" "at twelve"]
        wrap this
        text at
        twelve
      '';
    };

    godebug-pgo = {
      src = ./godebug-pgo;
      expect = ''
        hash: 3cc4df27a35f2fc9, odd: false
        profile: default.pgo
        setting: true
        recovered: <nil>
      '';
    };

    # A published program, which needs no directory here.
    proxy = {
      src = fetchGoModule {
        module = "golang.org/x/example/hello";
        version = "v0.0.0-20250915201037-7f05d217867b";
        hash = "sha256-fJUG25aHv/rcVwgOzYw/LfAFW+Tpx9cE9dqxo4qAWuM=";
      };
      expect = ''
        Hello, world!
      '';
    };

    cross-darwin = {
      src = ./cross;
      env = {
        CGO_ENABLED = "0";
        GOOS = "darwin";
        GOARCH = "arm64";
      };
      expect = null;
    };

    cross-windows = {
      src = ./cross;
      env = {
        CGO_ENABLED = "0";
        GOOS = "windows";
        GOARCH = "amd64";
      };
      expect = null;
    };

    ldflags = {
      src = ./ldflags;
      ldflags = [
        "-X main.version=1.2.3"
        "-X 'main.note=two words'"
      ];
      expect = ''
        version: 1.2.3
        note: two words
      '';
    };
  };
in
builtins.mapAttrs (_: example: { vendorHash = null; } // example) examples
