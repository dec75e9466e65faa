# Go toolchains from the module proxy (golang.org/toolchain@v0.0.1-goVERSION.linux-ARCH), by Nix system. The hashes are
# those of the output of layout.sh.
rec {
  # The toolchain that the set-up puts into the store. It fetches the others when they are needed.
  bootstrap = "go_1_26";

  module = system: version: "golang.org/toolchain@v0.0.1-go${version}.${platforms.${system}}";

  platforms = {
    x86_64-linux = "linux-amd64";
    aarch64-linux = "linux-arm64";
  };

  versions = {
    go_1_24 = {
      version = "1.24.13";
      x86_64-linux = "sha256-9Yyq0rZy1+pxmHFeZsAHv9hUpp3dhgRlUntuOhBMYso=";
    };
    go_1_25 = {
      version = "1.25.12";
      x86_64-linux = "sha256-ixPPhiNHclRSn9XPncsIogIWbljWBf1C95+fst5dzZQ=";
    };
    go_1_26 = {
      version = "1.26.8";
      x86_64-linux = "sha256-o9CRXgrMpMSRaKqOdSwsYuMGGLWIvwsYv09bodXE0+o=";
      aarch64-linux = "sha256-zSsu3EZT1tu4NF7gzvMkS66jvVmkuUqrcIsxNAHcQAo=";
    };
    go_1_27 = {
      version = "1.27.4";
      x86_64-linux = "sha256-ogCXzqLXXgBdQWpJf5y5NY9BYd+33ooBJ55R+uiVBfo=";
    };
  };
}
