{
  description = "Go programs as one derivation per package";

  inputs.nixpkgs.url = "nixpkgs";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forAll =
        f:
        builtins.listToAttrs (
          map (system: {
            name = system;
            value = f nixpkgs.legacyPackages.${system};
          }) systems
        );
    in
    {
      # dgd for a package set, as in `dgd.lib.for nixpkgs.legacyPackages.x86_64-linux`.
      lib.for = pkgs: import ./. { inherit pkgs; };

      overlays.default = import ./overlay.nix;

      packages = forAll (
        pkgs:
        let
          inherit (import ./lib { inherit pkgs; }) internal;
        in
        {
          inherit (internal.tools) dgd dgd-plan dgd-exec;
          default = internal.tools.dgd;
        }
      );

      checks = forAll (pkgs: {
        inherit (import ./. { inherit pkgs; }) testExamples;
      });

      devShells = forAll (pkgs: {
        default = import ./shell.nix { inherit pkgs; };
      });

      templates.default = {
        path = ./templates/program;
        description = "A Go program, built package by package";
      };
    };
}
