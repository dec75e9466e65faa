# Go toolchains as the module proxy serves them (golang.org/toolchain@v0.0.1-goVERSION.linux-ARCH), by Nix system;
# the hashes are those of what layout.sh makes of them.
rec {
  # The one that the set-up puts into the store; the others are fetched by it when they are wanted.
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
