# The examples, built by plans in files. A derivation runs `dgd plan` for each of them, with the command in planCommand.
{
  dgd,
  pkgs,
  go,
  args, # the arguments of the examples, see ../examples/args.nix
  others, # the examples built in another mode
}:
let
  withoutPlan = builtins.mapAttrs (
    _: _: "allowGoReference, and a plan in a file is of a build with -trimpath"
  ) (select (e: e.allowGoReference or false) args);
  select =
    isWanted: set:
    removeAttrs set (builtins.filter (name: !isWanted set.${name}) (builtins.attrNames set));
  run = attrs: pkgs.stdenvNoCC.mkDerivation (attrs // { dontFixup = true; });
  # The output of a derivation as a source that evaluation can read.
  read =
    name: drv:
    builtins.path {
      inherit name;
      path = "${drv}";
    };

  # The arguments for a plan: without vendorHash, src has the fetched vendor directory unless there is a lock, and
  # evaluation can read src.
  planned =
    name: e:
    let
      rest = removeAttrs e [
        "vendorHash"
        "proxyVendor"
        "expect"
        "run"
        "namesPlace"
        "reference"
      ];
    in
    rest
    // {
      inherit go;
    }
    // (
      if e.proxyVendor or false then
        { modules = e.src + "/dgd.lock"; }
      else if e.vendorHash == null then
        { src = if e.src ? outputs then read name e.src else e.src; }
      else
        { src = vendored name e; }
    );
  vendored =
    name: e:
    read name (run {
      name = "${name}-vendored";
      buildCommand = ''
        cp -r ${e.src} $out
        chmod -R u+w $out
        cd $out/${e.modRoot or "."}
        until [ -e go.work ] || [ "$PWD" = "$out" ]; do cd ..; done
        [ -e go.work ] || cd $out/${e.modRoot or "."}
        cp -r ${others.${name}.goModules} vendor
      '';
    });

  plan =
    name: e:
    read "dgd.plan" (run {
      name = "${name}-plan";
      nativeBuildInputs = [
        go
        dgd.internal.tools.dgd
      ];
      env = {
        GOPROXY = if e.modules or null == null then "off" else "file://${others.archives.goModules}";
        GOSUMDB = "off";
        GOTOOLCHAIN = "local";
        GOFLAGS = "-modcacherw";
      };
      buildCommand = ''
        export HOME=$TMPDIR
        cp -r ${e.src} work
        chmod -R u+w work
        cd work/${e.modRoot or "."}
        ${(dgd.buildWithIFD (e // { plan = ./none.plan; })).planCommand}
        until [ -e dgd.plan ]; do cd ..; done
        cp dgd.plan $out
      '';
    });
in
{
  inherit others withoutPlan;
  examples = builtins.mapAttrs (
    name: e:
    if withoutPlan ? ${name} then
      others.${name}
    else
      let
        args = planned name e;
      in
      dgd.buildWithIFD (args // { plan = plan name args; })
  ) args;
}
