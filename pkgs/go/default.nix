# Go toolchains in nixpkgs' layout: bin/go, with GOROOT in share/go.
{
  system,
  bash,
  coreutils,
  cacert,
}:

let
  inherit (import ./toolchains.nix) bootstrap module versions;

  toolchain =
    name:
    { version, ... }@hashes:
    let
      drv = derivation {
        name = "go-${version}";
        inherit system version;
        builder = "${bash}/bin/bash";
        args = [ ./fetch.sh ];
        layout = ./layout.sh;
        module = module system version;
        # The bootstrap toolchain is in the store from the start, so it is never built.
        go = if name == bootstrap then null else toolchains.${bootstrap};
        PATH = "${coreutils}/bin";
        SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
        outputHashMode = "recursive";
        outputHash = hashes.${system} or (throw "Go ${version} for ${system} is not in pkgs/go/toolchains.nix");
        impureEnvVars = [
          "GOPROXY"
          "GOSUMDB"
          "http_proxy"
          "https_proxy"
          "HTTP_PROXY"
          "HTTPS_PROXY"
          "no_proxy"
          "NO_PROXY"
        ];
      };
    in
    drv
    // {
      out = drv;
      meta.mainProgram = "go";
      passthru = { inherit version; };
    };

  toolchains = builtins.mapAttrs toolchain versions;
in
toolchains
