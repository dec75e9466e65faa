# Setup hooks with the names of nixpkgs' ones, for package sets without them, with the functions that the forms use.
{ pkgs }:
let
  hook =
    name: script:
    pkgs.stdenvNoCC.mkDerivation {
      inherit name;
      buildCommand = ''
        mkdir -p $out/nix-support
        cp ${builtins.toFile "${name}.sh" script} $out/nix-support/setup-hook
      '';
    };
in
{
  installShellFiles = hook "install-shell-files" ''
    installManPage() { # FILES…
      local page
      for page; do
        install -D -m 644 "$page" "$out/share/man/man''${page##*.}/''${page##*/}"
      done
    }

    installShellCompletion() { # --cmd NAME, and --bash, --fish and --zsh with a FILE each
      local name target
      while (($#)); do
        case $1 in
          --cmd) name=$2 ;;
          --bash) target=bash-completion/completions/$name.bash ;;
          --fish) target=fish/vendor_completions.d/$name.fish ;;
          --zsh) target=zsh/site-functions/_$name ;;
        esac
        if [[ $1 != --cmd ]]; then
          mkdir -p "$out/share/$(dirname "$target")"
          cat "$2" > "$out/share/$target"
        fi
        shift 2
      done
    }
  '';

  makeWrapper = hook "make-wrapper" ''
    wrapProgram() { # PROGRAM --set NAME VALUE
      local hidden=''${1%/*}/.''${1##*/}-wrapped
      mv "$1" "$hidden"
      printf '#!%s\nexport %s=%q\nexec -a "$0" %q "$@"\n' "$SHELL" "$3" "$4" "$hidden" > "$1"
      chmod +x "$1"
    }
  '';

  versionCheckHook = hook "version-check" ''
    versionCheck() {
      local program=$out/bin/$pname
      [[ $("$program" $versionCheckProgramArg 2>&1) == *"$version"* ]] || {
        echo "$program does not say that it is $version" >&2
        exit 2
      }
    }
    preInstallCheckHooks+=(versionCheck)
  '';

  writableTmpDirAsHomeHook = hook "writable-tmpdir-as-home-hook" ''
    ownHome() {
      export HOME=$NIX_BUILD_TOP/.own-home
      mkdir -p "$HOME"
    }
    preConfigureHooks+=(ownHome)
  '';
}
