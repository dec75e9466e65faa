# Definitions in the forms that nixpkgs has, each built by dgd in both modes and by nixpkgs' buildGoModule or, if pkgs has
# none, by build-go-module.nix.
{
  pkgs ? import <nixpkgs> { },
  dgd ? import ../.. { inherit pkgs; },
}:
let
  buildGoModule = pkgs.buildGoModule or (import ./build-go-module.nix { inherit pkgs; });

  # With the toolchain of nixpkgs' builder.
  inherit
    (buildGoModule {
      name = "any";
      src = ./testdata/tool;
      vendorHash = null;
    })
    go
    ;

  builders = {
    nixpkgs = buildGoModule;
    ifd = dgd.buildGoModule.override { inherit go; };
    dyn = dgd.buildGoModule.override {
      inherit go;
      useDynDrv = true;
    };
  };

  hooks = if pkgs ? installShellFiles then pkgs else import ./hooks.nix { inherit pkgs; };

  # A value as a string: numbers and strings become equal.
  text =
    value:
    if builtins.isList value then
      toString (map text value)
    else if builtins.isAttrs value && !(value ? outPath) then
      builtins.toJSON (builtins.mapAttrs (_: text) value)
    else
      toString value;

  # The attributes of a package that evaluation can compare.
  about = package: {
    inherit (package) name outputs;
    vendorHash = package.vendorHash or null;
    goModules = if package.goModules or "" == "" then null else package.goModules.outPath;
    go = package.go.outPath;
    # The position of a definition is that of its caller.
    meta = removeAttrs package.meta [
      "position"
      "maintainersPosition"
    ];
    updateScript = package.updateScript or null;
    # The attributes of the derivation, without the phases for which dgd has its own defaults.
    attributes = builtins.mapAttrs (_: text) (
      removeAttrs package.drvAttrs [
        "configurePhase"
        "buildPhase"
        "checkPhase"
        "installPhase"
      ]
    );
  };

  compared =
    definition:
    let
      packages = builtins.mapAttrs (_: definition) builders;
    in
    {
      inherit packages;
      about = builtins.mapAttrs (_: about) packages;
      # All outputs of a package, in the order of their names.
      outputs = builtins.mapAttrs (_: p: map (output: p.${output}) p.outputs) packages;
      # The programs as dgd's inner derivations link them. With a buildPhase of the user there are none.
      inner = (packages.ifd.dgd or { }).program or null;
      # The programs as nixpkgs' build links them, before fixupPhase.
      unfixed =
        (packages.nixpkgs.overrideAttrs {
          dontFixup = true;
          doCheck = false;
          doInstallCheck = false;
        }).out;
    };

  # A package of nixpkgs, whichever name of the builder its definition uses.
  definition =
    name: build:
    let
      package = pkgs.${name};
      names = builtins.filter (arg: builtins.match "buildGo.*Module" arg != null) (
        builtins.attrNames (package.override.__functionArgs or (builtins.functionArgs package.override))
      );
    in
    package.override (
      builtins.listToAttrs (
        map (arg: {
          name = arg;
          value = build;
        }) names
      )
    );
in
{
  inherit (builtins.mapAttrs (_: builtins.mapAttrs (_: compared)) (import ./forms.nix { inherit pkgs hooks; }))
    forms
    more
    ;

  programs = builtins.mapAttrs (_: program: compared (build: build program.args)) (
    import ../nixpkgs-programs.nix { inherit (dgd) fetchGoModule; }
  );

  definitions = names: builtins.listToAttrs (
    map (name: {
      inherit name;
      value = compared (definition name);
    }) names
  );
}
