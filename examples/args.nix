# The arguments of the examples for the builders, and further attributes for the tests: `expect` is the expected output of
# the programs in turn, or null if they cannot run on this machine. `run` is a script that runs the example in another way,
# with its bin/ as $bin. `namesPlace` means that the programs of `go build` depend on the directory in which it runs.
# `reference` has the arguments for the reference build if it gets the modules in another way.
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

    # The source is a store path.
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

    # The modules are archives, and the build is in module mode. For these old modules all proxies serve the same files.
    archives = {
      src = ./archives;
      proxyVendor = true;
      vendorHash = "sha256-ktEG4LAJrtURBibVWA6OB/U0QRD/yAsyqX87XAL2bU0=";
      expect = ''
        Don't communicate by sharing memory, share memory by communicating.
      '';
    };

    # The same with a lock that `dgd lock` has written.
    lock = {
      inherit (examples.archives) src expect;
      modules = ./archives/dgd.lock;
      reference = {
        inherit (examples.archives) proxyVendor vendorHash;
      };
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

    cgo-objects = {
      src = ./cgo-objects;
      expect = ''
        twice: 42
        named: a file
        called back: 21
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

    # `go mod vendor` copies the replacement, so that there is a hash although nothing is fetched.
    replace = {
      src = ./replace;
      vendorHash = "sha256-Z4y2ZderV1K29yCc7ADz7EN7NyZkiD/9PFFjwpElfl4=";
      expect = ''
        hello, replaced module
        hello, dear replaced module
      '';
    };

    # The module `server`, and beside it a directory by which go.mod replaces another module.
    modroot = {
      src = ./modroot;
      modRoot = "server";
      vendorHash = "sha256-JCQer1DraucTcwzoRVUBV/KesHhRRWkO0Iz8GsHwKgY=";
      expect = ''
        A MODULE BESIDE IT
        Don't communicate by sharing memory, share memory by communicating.
      '';
    };

    # All modules that go.mod requires are in the source, and are read in their own directories.
    modroot-plain = {
      src = ./modroot;
      modRoot = "./plain/";
      expect = ''
        NOTHING IS FETCHED
      '';
    };

    # The hash is that of `go work vendor`.
    workspace = {
      src = ./workspace;
      vendorHash = "sha256-XPHvxzfFfm4wPytKAA0/l0F2t83wloOjNLHDTOAvRMY=";
      subPackages = [
        "app"
        "tools/cmd/count"
      ];
      expect = ''
        hello, workspace
        If a program is too slow, it must have a loop.
        12
      '';
    };

    # The same workspace, built in one of its modules.
    workspace-member = {
      inherit (examples.workspace) vendorHash;
      src = ./workspace;
      modRoot = "tools";
      subPackage = "cmd/count";
      expect = ''
        12
      '';
    };

    # A module of the workspace without the workspace.
    workspace-off = {
      src = ./workspace;
      modRoot = "greet";
      subPackage = "cmd/greet";
      env.GOWORK = "off";
      expect = ''
        hello, nobody else
      '';
    };

    odd = {
      src = ./odd;
      subPackage = "cmd/oddly-named/v3";
      expect = ''
        linked file: a file of another directory
        linked directory: a directory of another name
        a quote in a file name
        data files/a $ and a #.txt: one
        data files/deep er/x=y,z.txt: two
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

    # A published program.
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

    cross-arm64 = {
      src = ./cross;
      env.GOARCH = "arm64";
      expect = null;
    };

    cross-wasm = {
      src = ./cross;
      env = {
        GOOS = "js";
        GOARCH = "wasm";
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

    # Flags that name files, -v, and linker flags with a pattern.
    flags = {
      src = ./flags;
      GOFLAGS = [
        "-v"
        "-overlay=build/overlay.json"
        "-modfile=build/alt.mod"
      ];
      ldflags = [
        "./...=-s"
        "-X main.linked=yes"
      ];
      expect = ''
        text: a text of the overlay
        version: of the overlay
        module: near
        linked: yes
      '';
    };

    race = {
      src = ./race;
      GOFLAGS = [ "-race" ];
      expect = ''
        race detector: true
        counted: 100
      '';
    };

    cgo-race = examples.cgo // {
      GOFLAGS = [ "-race" ];
    };

    # Without cgo, the program names a loader that the sandbox does not have.
    pie = examples.packages // {
      GOFLAGS = [ "-buildmode=pie" ];
      run = ''
        "$(patchelf --print-interpreter "$(type -P cp)")" $bin/packages
      '';
    };

    cgo-pie = examples.cgo // {
      GOFLAGS = [ "-buildmode=pie" ];
    };

    c-shared = {
      src = ./c-library;
      GOFLAGS = [ "-buildmode=c-shared" ];
      run = ''
        cc -Wall -I$bin ${./c-library/use/use.c} $bin/greeting -o use
        ./use
      '';
      expect = ''
        hello, C
        41
      '';
    };

    c-archive = examples.c-shared // {
      GOFLAGS = [ "-buildmode=c-archive" ];
      run = ''
        cc -Wall -I$bin ${./c-library/use/use.c} $bin/greeting.a -o use
        ./use
      '';
    };

    # Built by the go command. Another test opens it with a program that is built in the same way.
    plugin = {
      src = ./plugin;
      GOFLAGS = [ "-buildmode=plugin" ];
      expect = null;
    };

    cover = {
      src = ./cover;
      GOFLAGS = [ "-cover" ];
      run = ''
        mkdir data
        GOCOVERDIR=data $bin/cover
        (cd data; for f in *; do echo "''${f%%.*}"; done)
      '';
      expect = ''
        area: 12
        covcounters
        covmeta
      '';
    };

    # cgo hashes the files that the cover tool has rewritten, which contain the path of the source.
    cgo-cover = examples.cgo // {
      namesPlace = true;
      GOFLAGS = [
        "-cover"
        "-covermode=atomic"
      ];
    };

    # The flags apply to the main package alone, so that all programs share the standard library.
    gcflags = examples.generics // {
      gcflags = [
        "-N"
        "-l"
      ];
    };

    gcflags-all = examples.generics // {
      gcflags = [ "all=-l" ];
      GOFLAGS = [ "-asmflags=all=-D=EXAMPLE" ];
    };

    # Without -trimpath, a program contains the paths of its sources and of the toolchain.
    go-reference = {
      src = ./packages;
      allowGoReference = true;
      namesPlace = true;
      run = ''
        for part in /share/go/src/runtime/proc.go /src/shape/circle/circle.go; do
          grep -q "$part" $bin/packages
        done
        $bin/packages
      '';
      inherit (examples.packages) expect;
    };

    go-reference-cgo = examples.cgo // {
      allowGoReference = true;
      namesPlace = true;
    };

    go-reference-dep = examples.dep // {
      allowGoReference = true;
      namesPlace = true;
    };

    # Linked with the static C library, which is a separate output in nixpkgs.
    static = examples.cgo // {
      buildInputs = if pkgs.stdenv.cc.libc ? static then [ pkgs.stdenv.cc.libc.static ] else [ ];
      ldflags = [
        "-linkmode=external"
        "-extldflags=-static"
      ];
      run = ''
        if readelf -l $bin/cgo | grep INTERP; then exit 1; fi
        $bin/cgo
      '';
    };
  };
in
builtins.mapAttrs (_: example: { vendorHash = null; } // example) examples
