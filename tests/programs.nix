# Published programs that the tests build and compare with `go build`, the small ones first. They come from the module
# proxy: `hash` is the hash of the module's tree, and `vendorHash` that of the output of `go mod vendor`, or of a download
# cache from a proxy (module-proxy.nix) whose hash is `proxyHash`.
#
# packages: the number of packages of `go list -deps` on linux/amd64, including the standard library and unsafe
# modules: the number of third-party modules that these come from
# cgo: whether a package outside of the standard library contains C
# nixpkgs: whether nixpkgs has this version, and with the same vendorHash
builtins.mapAttrs
  (
    _: program:
    {
      subPackage = ".";
      proxyVendor = false;
      tags = [ ];
      env = { };
      cgo = false;
      nixpkgs = true;
    }
    // program
  )
  {
    shfmt = {
      module = "mvdan.cc/sh/v3";
      version = "v3.14.0";
      hash = "sha256-0KnQEHupKCh9c/09t5q8DOy2PMvcjctq9QwjZ4Xztsk=";
      vendorHash = "sha256-OfdXhgPyRRifRK4CylmOqWh0qmZ80mNAhBZtqJlwPPY=";
      subPackage = "cmd/shfmt";
      packages = 87;
      modules = 5;
    };

    # Built without cgo.
    gofumpt = {
      module = "mvdan.cc/gofumpt";
      version = "v0.9.0";
      hash = "sha256-NTjlbj2BvvPwlXHkMOjv/+v4zA1yhedGuO3z4j/tadc=";
      vendorHash = "sha256-ziqhBWkfWQ0T+gLFqv352PtNcpyCTRFHBfV6iilVGLs=";
      env.CGO_ENABLED = "0";
      packages = 107;
      modules = 4;
    };

    stringer = {
      module = "golang.org/x/tools";
      version = "v0.44.0";
      hash = "sha256-xuj5FLtSJsAojLLTLXtPdLAIFNTKoVFbDMuqRXmj2W4=";
      vendorHash = "sha256-HpWkPsRJ0vCqJi9LoZcVbzeoPQ2B9ftZwuS1r47W7Sc=";
      subPackage = "cmd/stringer";
      packages = 150;
      modules = 2;
    };

    age = {
      module = "filippo.io/age";
      version = "v1.2.1";
      hash = "sha256-9ZJdrmqBj43zSvStt0r25wjSfnvitdx3GYtM3urHcaA=";
      vendorHash = "sha256-ilRLEV7qOBZbqzg2XQi4kt0JAb/1ftT4JmahYT0zSRU=";
      subPackage = "cmd/age";
      packages = 183;
      modules = 4;
    };

    # Its modules are archives.
    age-proxy = {
      module = "filippo.io/age";
      version = "v1.0.0";
      hash = "sha256-MfyW8Yv8swKqA7Hl45l5Zn4wZrQmE661eHsKIywy36U=";
      proxyVendor = true;
      proxyHash = "sha256-MryNBOYztlWlqDhXEhcfo5Mv+DvpJaitZJyfPe0jaA8=";
      vendorHash = "sha256-jeoM6ideaJsa98pk4mWbz9RZhKuZOKInMRrrPSqNGWs=";
      subPackage = "cmd/age";
      packages = 182;
      modules = 4;
      nixpkgs = false;
    };

    # Assembly of its own, and no other module.
    s2c = {
      module = "github.com/klauspost/compress";
      version = "v1.20.3";
      hash = "sha256-34ifN/7hw8GbGDEAjOxfYK2ndxkzeQJf4tS/ynJzhXM=";
      vendorHash = null;
      subPackage = "s2/cmd/s2c";
      packages = 199;
      modules = 0;
      nixpkgs = false;
    };

    # The tags change packages of the standard library.
    nats-server = {
      module = "github.com/nats-io/nats-server/v2";
      version = "v2.10.23";
      hash = "sha256-j+tJe6ki2k3NhxPKmDp+8wCpNsJ3sBVvV1vYajmt84E=";
      vendorHash = "sha256-ZpPxx7WwknlJTk1tMuH6L4oxQAFnd41y4pGky86qKR8=";
      tags = [
        "netgo"
        "osusergo"
      ];
      packages = 242;
      modules = 9;
    };

    # SQLite, compiled by cgo.
    sql-migrate = {
      module = "github.com/rubenv/sql-migrate";
      version = "v1.8.0";
      hash = "sha256-ei8zkSd+qbM+EpaRz1EZwFV2qROz9Zv3jgUDiQl5lIw=";
      vendorHash = "sha256-p/7oKqvbCNWom9q6UaY89GZ4sv0hx1IuzCIw0CH1EwQ=";
      subPackage = "sql-migrate";
      cgo = true;
      packages = 248;
      modules = 30;
    };

    # Named after its module, whose path ends in a version.
    yq = {
      module = "github.com/mikefarah/yq/v4";
      version = "v4.45.3";
      hash = "sha256-+JphmDdOz/pLI7ffA/NPuGCOQgJiKni165G5Tm22Du4=";
      vendorHash = "sha256-cA5Y0/2lvYfVXr4zgtp/U8aBUkHnh9xb9jDHVk/2OME=";
      packages = 263;
      modules = 20;
    };

    # 398 embedded files in nine packages. nixpkgs vendors it by proxyVendor, which is another hash.
    hugo = {
      module = "github.com/gohugoio/hugo";
      version = "v0.150.1";
      hash = "sha256-t5UbkS3uC8rvnF5f1lOVTRr5dkJWrSZRPycfygiYLow=";
      vendorHash = "sha256-O5pRFjiww4OwGMDsEnJAgAEFm9bGIEs75k7epjcAHdY=";
      packages = 708;
      modules = 102;
      nixpkgs = false;
    };

    restic = {
      module = "github.com/restic/restic";
      version = "v0.18.1";
      hash = "sha256-eFkRuPzu6amW8cyB6qoCKp2cmusKasZWvyX7BcG4s0k=";
      vendorHash = "sha256-4GVhG1sjFiuKyDUAgmSmFww5bDKIoCjejkkoSqkvU4E=";
      subPackage = "cmd/restic";
      packages = 857;
      modules = 85;
    };

    # 28 third-party packages with assembly, 358 embedded files.
    caddy = {
      module = "github.com/caddyserver/caddy/v2";
      version = "v2.11.7";
      hash = "sha256-AKRoHDYmqdDZU696FLB/DuzAi0pyA7xf8IjQmOqVM4k=";
      vendorHash = "sha256-kJOl5h9gSfEK6ROT/MYOkBUr6MhiNBlbZVZPqwNpbBk=";
      subPackage = "cmd/caddy";
      packages = 1018;
      modules = 159;
    };

    # C++ of its own, in seven packages.
    ollama = {
      module = "github.com/ollama/ollama";
      version = "v0.6.8";
      hash = "sha256-R3sdCwrpIWiWAkcCzW8nx9iVSBCChETUWKz8gXLS4v8=";
      vendorHash = "sha256-t7+GLNC6mRcXq9ErxN6gGki5WWWoEcMfzRVjta4fddA=";
      cgo = true;
      packages = 448;
      modules = 47;
      nixpkgs = false;
    };

    # The tag adds 122 C files of libwebp and 64 C and C++ files of libsass, in two third-party packages.
    hugo-extended = {
      module = "github.com/gohugoio/hugo";
      version = "v0.150.1";
      hash = "sha256-t5UbkS3uC8rvnF5f1lOVTRr5dkJWrSZRPycfygiYLow=";
      vendorHash = "sha256-O5pRFjiww4OwGMDsEnJAgAEFm9bGIEs75k7epjcAHdY=";
      tags = [ "extended" ];
      cgo = true;
      packages = 712;
      modules = 102;
      nixpkgs = false;
    };

    # Its go.mod has a godebug line; two third-party packages contain C.
    rclone = {
      module = "github.com/rclone/rclone";
      version = "v1.74.4";
      hash = "sha256-CIyaMjU48ND3Tgz7C9HSMH12wCgl0lsn9wQKb/J+o4s=";
      vendorHash = "sha256-PVTcYFRr4Zb4VVsY6dkO+emZ48Nyr9aUBJbehFlDh9c=";
      cgo = true;
      packages = 1609;
      modules = 244;
    };

    # The largest here, with the 40 C files of zstd in a third-party package; net is linked by cgo, as the tag says.
    k9s = {
      module = "github.com/derailed/k9s";
      version = "v0.50.16";
      hash = "sha256-D37M9oNTp7sDafRrc+pOPKmNpCH3ZLiszemjN4A5Vn8=";
      vendorHash = "sha256-HL+ppeKBWFecfK66ohXcpEsHbOFL2ZoGppebOwG85qs=";
      tags = [ "netcgo" ];
      cgo = true;
      packages = 2464;
      modules = 363;
      nixpkgs = false;
    };
  }
