# The examples by plans in files. `dgd plan` writes each plan in a derivation, by the command that the package says.
{
  dgd,
  pkgs,
  go,
  args, # of the examples, as ../examples/args.nix has them
  others, # the examples by themselves, whatever the mode
}:
let
  withoutPlan = builtins.mapAttrs (
    _: _: "allowGoReference, and a plan in a file is of a build with -trimpath"
  ) (select (e: e.allowGoReference or false) args);
  select =
    isWanted: set:
    removeAttrs set (builtins.filter (name: !isWanted set.${name}) (builtins.attrNames set));
  run = attrs: pkgs.stdenvNoCC.mkDerivation (attrs // { dontFixup = true; });
  # A result as a source, as evaluation reads it.
  read =
    name: drv:
    builtins.path {
      inherit name;
      path = "${drv}";
    };

  # Modules come from a lock, or else src has the directory that vendorHash is the hash of. Evaluation can read src.
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
