# Programs built by `go build`, for comparison: all of them in one derivation with one build cache, so that the standard
# library is compiled once for each set of flags.
{ pkgs, lib }:
{
  name,
  programs, # by name, the arguments of the builders
  go ? pkgs.go,
}:
let
  words = list: builtins.concatStringsSep " " (map quote list);
  # A static library is only for the program that has it among its inputs: a linker uses the first library that it finds.
  isStatic = input: input.outputName or "" == "static";
  quote = s: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] s}'";
  build =
    name:
    let
      args = lib.arguments "reference" (
        removeAttrs programs.${name} (
          [
            "expect"
            "run"
            "namesPlace"
            "reference"
          ]
          ++ (if programs.${name} ? reference then [ "modules" ] else [ ])
        )
        // programs.${name}.reference or { }
      );
      # Unless the program depends on the directory, it is another one than the executor's.
      place = if programs.${name}.namesPlace or false then "$NIX_BUILD_TOP/dgd/0/src" else "src";
      modules = lib.vendor {
        inherit (args)
          src
          modRoot
          env
          vendorHash
          proxyVendor
          deleteVendor
          ;
        inherit go;
      };
      pattern = p: if builtins.match "[^/]*\\..+/.*" p != null then p else "./${p}";
    in
    ''
      echo "reference: ${name}"
      (
        ${builtins.concatStringsSep "\n" (map (n: "export ${n}=${quote args.env.${n}}") (builtins.attrNames args.env))}
        ${
          builtins.concatStringsSep "\n" (
            map (input: "export NIX_LDFLAGS+=' -L${input}/lib'") (
              builtins.filter isStatic args.buildInputs
            )
          )
        }
        mkdir -p ${place}
        cp -r ${args.src}/. ${place}
        chmod -R u+w ${place}
        cd ${place}/${quote args.modRoot}
        root=.
        work=$(go env GOWORK)
        if [ -n "$work" ] && [ "$work" != off ]; then root=''${work%/*}; fi
        ${if args.deleteVendor then ''rm -r "$root"/vendor'' else ""}
        ${
          if args.vendorHash == null then
            ""
          else if args.proxyVendor then
            "export GOPROXY=file://${modules}"
          else
            ''cp -r ${modules} "$root"/vendor''
        }
        flags=()
        if [ -f "$root"/vendor/modules.txt ]; then flags=(-mod=vendor); fi
        go build "''${flags[@]}" ${if args.allowGoReference then "" else "-trimpath"} -buildvcs=false \
          ${words [ "-ldflags=${builtins.concatStringsSep " " (args.ldflags ++ [ "-buildid=" ])}" ]} \
          ${if args.gcflags == [ ] then "" else words [ "-gcflags=${toString args.gcflags}" ]} \
          ${words [ "-tags=${builtins.concatStringsSep "," args.tags}" ]} \
          -o $out/${name}/bin/ ${words (map pattern args.subPackages)}
      )
      chmod -R u+w ${place}
      rm -rf ${place}
    '';
  all = attr: builtins.concatMap (p: p.${attr} or [ ]) (builtins.attrValues programs);
in
pkgs.stdenv.mkDerivation {
  inherit name;
  nativeBuildInputs = [ go ] ++ all "nativeBuildInputs";
  buildInputs = builtins.filter (input: !isStatic input) (all "buildInputs");
  # Without it, all programs would contain the path of this derivation.
  NIX_NO_SELF_RPATH = "1";
  buildCommand = ''
    export HOME=$TMPDIR GOCACHE=$TMPDIR/cache GOPATH=$TMPDIR/gopath
    export GOENV=off GOMODCACHE=$TMPDIR/modules GOPROXY=off GOSUMDB=off GOTOOLCHAIN=local
    mkdir work $out
    cd work
    ${builtins.concatStringsSep "\n" (map build (builtins.attrNames programs))}
  '';
}
