# Builds examples in both modes inside a virtual machine with a Nix daemon, without network, as an ordinary user:
#   nix-build -A vmtest
# With emulated processors this takes an hour on 2 idle cores. `--arg names '[ "hello" "dep" "lock" "cgo" ]'` builds only
# these examples, which cover each way to get modules, and cgo.
{
  pkgs,
  tools,
  examples, # all examples
}:
{
  names ? builtins.attrNames examples,
}:
let
  # The files of dgd that Nix expressions read.
  root = toString ../.;
  parts = [
    "cmd"
    "default.nix"
    "examples"
    "go.mod"
    "go.sum"
    "internal"
    "lib"
    "pkgs"
    "tests"
  ];
  sources = builtins.path {
    path = ../.;
    name = "dgd";
    filter =
      path: _:
      let
        relative = builtins.substring (builtins.stringLength root + 1) (-1) path;
        part = builtins.head (builtins.split "/" relative);
      in
      builtins.elem part parts
      && (part == "examples" || builtins.match ".*(_test[.]go|/testdata)" path == null);
  };

  # The modules of all examples. Those that are fetched as a source are named, not fetched.
  proxy =
    let
      examples = builtins.attrValues (
        import ../examples/args.nix {
          inherit pkgs;
          fetchGoModule = module: module;
        }
      );
      fetched = builtins.filter (e: e.src ? module) examples;
    in
    import ./module-proxy.nix {
      inherit pkgs;
      sources = map (e: e.src) fetched;
      programs = builtins.filter (e: !(e.src ? module) && (e ? modules || e.vendorHash != null)) examples;
      hash = "sha256-rOsgjr8CiAdiqoGvnokSP4CqF6WqQ2DCFGyOCjqzlFU=";
    };

  # The files of <nixpkgs>.
  store = name: path: builtins.path { inherit name path; };
  nixpkgs =
    if pkgs ? path then
      rec {
        nixPath = "nixpkgs=${builtins.head paths}";
        paths = [ (store "nixpkgs" pkgs.path) ];
      }
    else
      rec {
        nixPath = "nixpkgs=${sources}/pkgs:dgd-debian=${builtins.head paths}";
        paths = [ (store "dgd-debian" <dgd-debian>) ] ++ map builtins.storePath (builtins.attrValues (import <dgd-debian>));
      };

  test = {
    name = "dgd-vmtest";

    # $REPORT is where the result goes.
    command = "NIX_PATH=${nixpkgs.nixPath} bash ${sources}/tests/vmtest.sh ${sources} ${toString names}";

    # Nothing is fetched but modules: all else is there.
    paths = nixpkgs.paths ++ [
      sources
      proxy
      tools.dgd-exec
      tools.dgd-plan
      pkgs.bash
      pkgs.cacert
      pkgs.coreutils
      pkgs.gitMinimal
      pkgs.go
      pkgs.pkg-config
      pkgs.stdenv
      pkgs.stdenvNoCC
      pkgs.zlib.out
      (pkgs.zlib.dev or pkgs.zlib.out)
    ];

    # With extra-sandbox-paths, fixed-output derivations can read the proxy.
    nixConf = {
      experimental-features = "nix-command dynamic-derivations ca-derivations recursive-nix";
      extra-system-features = "recursive-nix";
      extra-sandbox-paths = proxy;
      sandbox = true;
      sandbox-fallback = false;
      substituters = "";
      max-jobs = 2;
    };
    daemonEnv = {
      GOPROXY = "file://${proxy}";
      GOSUMDB = "off";
    };

    cores = 2;
    memory = 4096;
    timeout = 6 * 60 * 60; # in seconds
  };

  inNixOS = pkgs.testers.runNixOSTest {
    inherit (test) name;
    globalTimeout = test.timeout;
    nodes.machine =
      { lib, pkgs, ... }:
      {
        virtualisation = {
          inherit (test) cores;
          memorySize = test.memory;
          diskSize = 40 * 1024;
          additionalPaths = test.paths;
          writableStore = true;
          writableStoreUseTmpfs = false;
          vlans = [ ];
          qemu.networkingOptions = lib.mkForce [ "-nic none" ];
        };
        nix.package = pkgs.nixVersions.latest;
        nix.settings = test.nixConf // {
          substituters = lib.mkForce [ ];
        };
        systemd.services.nix-daemon.environment = test.daemonEnv;
        users.users.tester.isNormalUser = true;
      };
    testScript = ''
      machine.wait_for_unit("nix-daemon.socket")
      machine.succeed(
          "set -o pipefail; "
          "su - tester -c 'NIX_REMOTE=daemon REPORT=/home/tester/report ${test.command}' 2>&1 | tee /dev/console",
          timeout=${toString test.timeout},
      )
      machine.copy_from_vm("/home/tester/report")
    '';
  };

  value = v: if v == true then "true" else if v == false then "false" else toString v;

  inDebian = import ../pkgs/vm { inherit (pkgs.stdenv.buildPlatform) system; } (
    test
    // {
      nixConf = builtins.attrValues (builtins.mapAttrs (name: v: "${name} = ${value v}") test.nixConf);
    }
  );
in
if pkgs ? testers then inNixOS else inDebian
