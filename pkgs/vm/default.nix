# A virtual machine of Debian's kernel and packages with a Nix daemon, in which an ordinary user runs a command. For
# package sets that have no machines of their own; with-nix makes <dgd-vm>.
{ system }:
{
  name,
  command, # a shell command, which writes its result to the file $REPORT
  paths, # store paths whose closures the machine's store has
  nixConf, # lines for the machine's nix.conf
  daemonEnv, # the environment of nix-daemon
  cores,
  memory, # in megabytes
  timeout, # in seconds
}:
let
  trees =
    if (builtins.tryEval <dgd-vm>).success then
      import <dgd-vm>
    else
      throw "dgd: ${name} needs a virtual machine, which is fetched by ./with-nix nix-build -A vmtest";
  inherit (builtins.mapAttrs (_: builtins.storePath) trees) emulator machine;
in
derivation {
  inherit
    name
    system
    emulator
    machine
    command
    cores
    memory
    timeout
    ;
  __structuredAttrs = true;
  builder = "${machine}/usr/bin/bash-static";
  args = [ ./build.sh ];
  outputs = [ "out" ];
  init = ./init.sh;
  start = ./start.sh;
  nixConf = builtins.concatStringsSep "\n" nixConf;
  daemonEnv = builtins.concatStringsSep "\n" (
    builtins.attrValues (builtins.mapAttrs (variable: value: "${variable}=${value}") daemonEnv)
  );
  # The closure for the registration of the machine's store, which Nix writes to .attrs.json.
  exportReferencesGraph.closure = paths ++ [ machine ];
}
