# A package's sources as they are when nixpkgs would run `go install`, and what its phases made of the arguments of that:
# a derivation that runs the phases up to there.
{
  stdenv,
  attrs, # the package's final attributes, without those of its own build
  name,
  packageName, # in store paths
  standIns, # of the package's outputs
  beforeAll, # the attribute with the phases that come first
  changesCompiler, # whether there is an output `compiler`: what the phases made of the C compiler's variables
  vendors, # whether the phases have the modules in a vendor directory
  changesModules, # whether there is an output `vendored`: what they made of that
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
    # Before all phases: these see the name and the outputs of the package, not those of the preparation.
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
