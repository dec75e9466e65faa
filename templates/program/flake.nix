{
  inputs = {
    nixpkgs.url = "nixpkgs";
    # The reference that you gave to `nix flake init -t`.
    dgd.url = "dgd";
    dgd.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    { nixpkgs, dgd, ... }:
    let
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};
    in
    {
      packages.${system}.default = (dgd.lib.for pkgs).buildGoModule {
        pname = "hello";
        version = "0.1.0";
        src = ./.;
        # As soon as go.mod has `require`: set it to "", and Nix will report the correct hash.
        vendorHash = null;
      };
    };
}
