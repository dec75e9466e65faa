# Programs with their definitions in nixpkgs: `args` are the arguments of buildGoModule in nixpkgs, with the same version,
# vendorHash, flags and hooks in the same form. There are three differences:
#
# - `src` comes from the module proxy. Often it has the hash of nixpkgs' src; it lacks symlinks, nested modules and
#   vendor directories.
# - Hooks that need programs which the embedded package set lacks are left out: those that install manual pages and shell
#   completions, versionCheckHook, wrapProgram.
# - meta, updateScript and the tests of nixpkgs are left out.
#
# bin: the names of the programs, which are the main packages that the definition builds
# runs: shell commands, each with its output, as the definition or the source of the program determines it
{ fetchGoModule }:
let
  proxy =
    module: version: hash:
    fetchGoModule { inherit module version hash; };
in
builtins.mapAttrs (name: program: { bin = [ name ]; } // program) {
  actionlint = {
    runs."actionlint -version" = "1.7.6";
    args = rec {
      pname = "actionlint";
      version = "1.7.6";
      subPackages = [ "cmd/actionlint" ];
      src = proxy "github.com/rhysd/actionlint" "v${version}" "sha256-+6dvi136qDPotJiW3O6mY4MI+9W1CoxatR9MZBeTAV0=";
      vendorHash = "sha256-4hBIDrFOADGo3gsTRW8hjBYzmWRo/5yyoM7Ylv3KJBk=";
      ldflags = [
        "-s"
        "-w"
        "-X github.com/rhysd/actionlint.version=${version}"
      ];
    };
  };

  age = {
    bin = [
      "age"
      "age-keygen"
    ];
    runs."age --version" = "1.2.1";
    runs."age-keygen --version" = "1.2.1";
    args = rec {
      pname = "age";
      version = "1.2.1";
      src = proxy "filippo.io/age" "v${version}" "sha256-9ZJdrmqBj43zSvStt0r25wjSfnvitdx3GYtM3urHcaA=";
      vendorHash = "sha256-ilRLEV7qOBZbqzg2XQi4kt0JAb/1ftT4JmahYT0zSRU=";
      ldflags = [
        "-s"
        "-w"
        "-X main.Version=${version}"
      ];
      doInstallCheck = true;
      installCheckPhase = ''
        if [[ "$("$out/bin/${pname}" --version)" == "${version}" ]]; then
          echo '${pname} smoke check passed'
        else
          echo '${pname} smoke check failed'
          return 1
        fi
      '';
      checkFlags = [
        "-skip"
        "TestScript/plugin"
      ];
    };
  };

  # Its tests build programs of the module with the go command.
  age-1_3 = {
    bin = [
      "age"
      "age-inspect"
      "age-keygen"
      "age-plugin-batchpass"
      "age-plugin-pq"
      "age-plugin-tag"
      "age-plugin-tagpq"
      "age-plugin-tagtest"
    ];
    runs."age --version" = "v1.3.1";
    runs."age-keygen --version" = "v1.3.1";
    args = finalAttrs: {
      pname = "age";
      version = "1.3.1";
      src = proxy "filippo.io/age" "v${finalAttrs.version}" "sha256-Qs/q3zQYV0PukABBPf/aU5V1oOhw95NG6K301VYJk8A=";
      vendorHash = "sha256-iVDkYXXR2pXlUVywPgVRNMORxOOEhAmzpSM0xqSQMSQ=";
      ldflags = [
        "-s"
        "-w"
        "-X main.Version=v${finalAttrs.version}"
      ];
      doInstallCheck = true;
      checkFlags = [
        "-skip"
        "TestScript/plugin"
      ];
    };
  };

  # In nixpkgs the shell expands subPackages.
  go-jsonnet = {
    bin = [
      "jsonnet"
      "jsonnet-deps"
      "jsonnet-lint"
      "jsonnetfmt"
    ];
    runs."jsonnet --version" = "Jsonnet commandline interpreter (Go implementation) v0.21.0";
    runs."jsonnet -e '{ a: 1 + 1 }'" = ''"a": 2'';
    args = finalAttrs: {
      pname = "go-jsonnet";
      version = "0.21.0";
      src =
        proxy "github.com/google/go-jsonnet" "v${finalAttrs.version}"
          "sha256-ubuFy3BqYj/75IKkdjcCHxlj7mOD6vJL6EQVY+/G8iY=";
      vendorHash = "sha256-Uh2rAXdye9QmmZuEqx1qeokE9Z9domyHsSFlU7YZsZw=";
      subPackages = [ "cmd/jsonnet*" ];
      ldflags = [
        "-s"
        "-w"
      ];
    };
  };

  go-md2man = {
    runs."echo '# Title' | go-md2man" = ".TH Title";
    args = rec {
      pname = "go-md2man";
      version = "2.0.7";
      vendorHash = "sha256-aMLL/tmRLyGze3RSB9dKnoTv5ZK1eRtgV8fkajWEbU0=";
      src = proxy "github.com/cpuguy83/go-md2man/v2" "v${version}" "sha256-DKqGvdidl6J4lPhIk3okhU4k6MvtSr+hJ9huU/JTai0=";
    };
  };

  # Without cgo.
  gofumpt = {
    runs."gofumpt --version" = "v0.9.0 (go1.";
    args = finalAttrs: {
      pname = "gofumpt";
      version = "0.9.0";
      src = proxy "mvdan.cc/gofumpt" "v${finalAttrs.version}" "sha256-NTjlbj2BvvPwlXHkMOjv/+v4zA1yhedGuO3z4j/tadc=";
      vendorHash = "sha256-ziqhBWkfWQ0T+gLFqv352PtNcpyCTRFHBfV6iilVGLs=";
      env.CGO_ENABLED = "0";
      ldflags = [
        "-s"
        "-X main.version=v${finalAttrs.version}"
      ];
      checkFlags = [ "-skip=^TestScript/diagnose$" ];
      doInstallCheck = true;
    };
  };

  gojq = {
    runs."gojq --version" = "gojq 0.12.19 ";
    args = finalAttrs: {
      pname = "gojq";
      version = "0.12.19";
      src =
        proxy "github.com/itchyny/gojq" "v${finalAttrs.version}"
          "sha256-egaBNHKKzwDwaUN4GT+Xvt11Nz6ojNMSIrXbcEisyI4=";
      vendorHash = "sha256-6UnX9YHh4RGcIFfqaJLxDPxuGQ6KO4UIOryXsoJUjFs=";
      ldflags = [
        "-s"
        "-w"
      ];
      postInstallCheck = ''
        $out/bin/gojq --help > /dev/null
        $out/bin/gojq --raw-output '.values[1]' <<< '{"values":["hello","world"]}' | grep '^world$' > /dev/null
      '';
      doInstallCheck = true;
    };
  };

  gomodifytags = {
    runs."gomodifytags -h 2>&1" = "Filename to be parsed";
    args = finalAttrs: {
      pname = "gomodifytags";
      version = "1.17.0";
      src =
        proxy "github.com/fatih/gomodifytags" "v${finalAttrs.version}"
          "sha256-XVjSRW7FzXbGmGT+xH4tNg9PVXvgmhQXTIrYYZ346/M=";
      vendorHash = "sha256-0eWrkOcaow+W2Daaw2rzugfS+jqhN6RE2iCdpui9aQg=";
      ldflags = [
        "-s"
        "-w"
      ];
      doInstallCheck = false;
    };
  };

  gotests = {
    runs."gotests -version" = "gotests development";
    args = rec {
      pname = "gotests";
      version = "1.9.0";
      src = proxy "github.com/cweill/gotests" "v${version}" "sha256-jVXKMWhvX26z7KoDiDh+jIfy317UJtZ2qHZtS0Re6r0=";
      vendorHash = "sha256-/dP8uA1yWBrtmFNHUvcicPhA2qr5R2v1uSwYi+ciypg=";
      doCheck = false;
    };
  };

  gron = {
    runs."gron --version" = "gron version 0.7.1";
    args = rec {
      pname = "gron";
      version = "0.7.1";
      src = proxy "github.com/tomnomnom/gron" "v${version}" "sha256-GwD5xpb7YcV34zx8a1KCuzP9uGY09f0Qu3xPDkqUx+s=";
      vendorHash = "sha256-K/QAG9mCIHe7PQhex3TntlGYAK9l0bESWk616N97dBs=";
      ldflags = [
        "-s"
        "-w"
        "-X main.gronVersion=${version}"
      ];
    };
  };

  # No other module.
  mage = {
    runs."mage -version" = "Mage Build Tool v1.15.0";
    args = rec {
      pname = "mage";
      version = "1.15.0";
      src = proxy "github.com/magefile/mage" "v${version}" "sha256-XH3CHsGRGQsxJkEguDJ3IrjGEeCg5bEqjcIDLpZfGpE=";
      vendorHash = null;
      doCheck = false;
      ldflags = [
        "-X github.com/magefile/mage/mage.commitHash=v${version}"
        "-X github.com/magefile/mage/mage.gitTag=v${version}"
        "-X github.com/magefile/mage/mage.timestamp=1970-01-01T00:00:00Z"
      ];
    };
  };

  minify = {
    runs."minify --version" = "minify 2.24.11";
    args = finalAttrs: {
      pname = "minify";
      version = "2.24.11";
      src =
        proxy "github.com/tdewolff/minify/v2" "v${finalAttrs.version}"
          "sha256-8k6xp1c43GzyfHUO0hD22S35VxFx2Z/FIktJzKOrDC4=";
      vendorHash = "sha256-gH9HiNYAARImEdA4TESg8BXuedhs3Priv7dgZwcnrHU=";
      ldflags = [
        "-s"
        "-w"
        "-X main.Version=${finalAttrs.version}"
      ];
      subPackages = [ "cmd/minify" ];
    };
  };

  mkcert = {
    runs."mkcert -version" = "v1.4.4";
    args = rec {
      pname = "mkcert";
      version = "1.4.4";
      src = proxy "filippo.io/mkcert" "v${version}" "sha256-FMAXjRL+kJ/hwGmaWBy8ecON+JCMgRytfpryeLWsSVc=";
      vendorHash = "sha256-DdA7s+N5S1ivwUgZ+M2W/HCp/7neeoqRQL0umn3m6Do=";
      doCheck = false;
      ldflags = [
        "-s"
        "-w"
        "-X main.Version=v${version}"
      ];
    };
  };

  protoc-gen-go = {
    runs."protoc-gen-go --version" = "protoc-gen-go v1.36.10";
    args = rec {
      pname = "protoc-gen-go";
      version = "1.36.10";
      src = proxy "google.golang.org/protobuf" "v${version}" "sha256-gUrj1qSpjcpRKCBnrYlKMm+P0OSh7B/8EBREstwhD1w=";
      vendorHash = "sha256-EAkrbx9pTBhZ0y0ub14PnMINrk1M6yEgnGapzpgXqBU=";
      subPackages = [ "cmd/protoc-gen-go" ];
    };
  };

  reflex = {
    runs."reflex -h 2>&1 || true" = "COMMAND is any command you'd like to run.";
    args = rec {
      pname = "reflex";
      version = "0.3.1";
      src = proxy "github.com/cespare/reflex" "v${version}" "sha256-/2qVm2xpSFVspA16rkiIw/qckxzXQp/1EGOl0f9KljY=";
      vendorHash = "sha256-JCtVYDHbhH2i7tGNK1jvgHCjU6gMMkNhQ2ZnlTeqtmA=";
      ldflags = [
        "-s"
        "-w"
      ];
    };
  };

  # In nixpkgs a patch does what postPatch does here: it sets the version in the program and its tests.
  shfmt = {
    runs."shfmt --version" = "3.14.0";
    args = finalAttrs: {
      pname = "shfmt";
      version = "3.14.0";
      src = proxy "mvdan.cc/sh/v3" "v${finalAttrs.version}" "sha256-0KnQEHupKCh9c/09t5q8DOy2PMvcjctq9QwjZ4Xztsk=";
      vendorHash = "sha256-OfdXhgPyRRifRK4CylmOqWh0qmZ80mNAhBZtqJlwPPY=";
      postPatch = ''
        substituteInPlace cmd/shfmt/main.go \
          --replace-fail '"(unknown)"' '"${finalAttrs.version}"' \
          --replace-fail 'version = mod.Version' ""
        substituteInPlace cmd/shfmt/testdata/script/flags.txtar --replace-fail 'devel|v3' '${finalAttrs.version}'
      '';
      subPackages = [ "cmd/shfmt" ];
      ldflags = [
        "-s"
        "-w"
      ];
      doInstallCheck = true;
    };
  };

  # SQLite by cgo, and tests that use it.
  sql-migrate = {
    runs."sql-migrate --help" = "Usage: sql-migrate [--version] [--help] <command>";
    args = rec {
      pname = "sql-migrate";
      version = "1.8.0";
      src = proxy "github.com/rubenv/sql-migrate" "v${version}" "sha256-ei8zkSd+qbM+EpaRz1EZwFV2qROz9Zv3jgUDiQl5lIw=";
      vendorHash = "sha256-p/7oKqvbCNWom9q6UaY89GZ4sv0hx1IuzCIw0CH1EwQ=";
    };
  };

  # Flags of the external linker, in quotes.
  vegeta = {
    runs."vegeta -version" = "Version: 12.13.0\nCommit: 03ca49e9b419c106db29d687827c4c823d8b8ece";
    args = rec {
      pname = "vegeta";
      version = "12.13.0";
      rev = "03ca49e9b419c106db29d687827c4c823d8b8ece";
      src = proxy "github.com/tsenart/vegeta/v12" "v${version}" "sha256-k0zSJ528w9qQz69DZ/tNRQ+wIpQp1qImQ2SFVMWfUlM=";
      vendorHash = "sha256-0Ho1HYckFHaWEE6Ti3fIL/t0hBj5MnKOd4fOZx+LYiE=";
      subPackages = [ "." ];
      ldflags = [
        "-X main.Commit=${rev}"
        "-X main.Date=1970-01-01T00:00:00Z"
        "-X main.Version=${version}"
        "-s"
        "-w"
        "-extldflags '-static'"
      ];
    };
  };

  yamlfmt = {
    runs."yamlfmt -version" = "yamlfmt 0.14.0 (v0.14.0)";
    args = rec {
      pname = "yamlfmt";
      version = "0.14.0";
      src = proxy "github.com/google/yamlfmt" "v${version}" "sha256-NvdLEddD6d+JhQlulD4Qha7C2rSjZvubXWFBy46/X6o=";
      vendorHash = "sha256-lsNldfacBoeTPyhkjyDZhI5YR+kDke0TarfG/KdjEOg=";
      ldflags = [
        "-s"
        "-w"
        "-X=main.version=${version}"
        "-X=main.commit=v${version}"
      ];
    };
  };
}
