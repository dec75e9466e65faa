{
  inputs = {
    nixpkgs.url = "nixpkgs";
    # The reference that you gave to `nix flake init -t`.
    dgd.url = "dgd";
    dgd.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    { nixpkgs, dgd, ... }:
    {
      packages = builtins.mapAttrs (_: pkgs: {
        default = (dgd.lib.for pkgs).buildGoModule {
          pname = "hello";
          version = "0.1.0";
          src = ./.;
          # When go.mod requires modules: set this to "", and Nix will report the correct hash.
          vendorHash = null;
          # Optional; `dgd plan --for linux/amd64,linux/arm64` writes it. With dgd.plan, evaluation builds nothing, so
          # `nix flake show` and `nix flake check` work for all systems.
          plan = if builtins.pathExists ./dgd.plan then ./dgd.plan else null;
        };
      }) { inherit (nixpkgs.legacyPackages) x86_64-linux aarch64-linux; };
    };
}
