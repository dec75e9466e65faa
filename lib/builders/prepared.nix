# A derivation that runs the phases of a package up to the point where nixpkgs runs `go install`. Its outputs are the
# sources as they are then (`out`), and the flags and variables as the phases have changed them (`settings`).
{
  stdenv,
  attrs, # the package's final attributes, without those that concern its own build
  name,
  packageName, # the package's name in store paths
  standIns, # placeholder paths for the package's outputs, see go-module.nix
  beforeAll, # the attribute that lists the first phases
  changesCompiler, # adds the output `compiler`: shell code that changes the C compiler's variables as the phases do
  vendors, # whether the phases have the modules in a vendor directory
  changesModules, # adds the output `vendored`: the vendor directory after the phases
  contentAddressed,
}:
let
  when = condition: text: if condition then text else "";
in
stdenv.mkDerivation (
  builtins.mapAttrs (_: standIns.put) attrs
  // {
    name = "${name}-prepared";
    outputs = [
      "out"
      "settings"
    ]
    ++ (if changesCompiler then [ "compiler" ] else [ ])
    ++ (if changesModules then [ "vendored" ] else [ ]);
    doCheck = false;
    doInstallCheck = false;
    doDist = false;
    dontFixup = true;
    buildPhase = ''
      runHook preBuild
    '';
    # A phase before all others, so that these have the name and the outputs of the package, not of this derivation.
    ${beforeAll} = "dgdStandInPhase ${toString (attrs.${beforeAll} or "")}";
    dgdStandInPhase = ''
      dgdPrepared=$out
      dgdSettings=$settings
      ${when changesCompiler ''
        dgdCompiler=$compiler
        dgdCompilerNames='${(import ./compiler-attributes.nix).variables}'
        source ${./compiler-changes.sh}
      ''}
      ${when vendors "dgdVendors=1"}
      ${when changesModules "dgdVendored=$vendored"}
      name=${packageName}
      ${standIns.exports}
    '';
    installPhase = ''
      for dgdName in ldflags tags subPackages excludedPackages gcflags GOFLAGS \
        $(compgen -e | grep -E '^(CGO_|GO[0-9A-Z]+$)'); do
        case $dgdName in
          GOCACHE | GOPATH | GOPROXY | GOSUMDB | GOTOOLCHAIN | GO111MODULE) continue ;;
        esac
        # With __structuredAttrs it is an array.
        declare -n dgdValue=$dgdName
        if [ -n "''${dgdValue[*]-}" ]; then printf '%s\0' "$dgdName=''${dgdValue[*]}"; fi
      done > "$NIX_BUILD_TOP/dgd-settings"
      source ${./prepared.sh}
    '';
  }
  // (if contentAddressed then import ../content-addressing.nix else { })
)
