# The programs of nixpkgs-programs.nix, built by buildGoModule with their tests, run, and compared byte for byte with
# those of `go install`.
{
  dgd,
  pkgs,
  useDynDrv,
}:
let
  programs = import ./nixpkgs-programs.nix { inherit (dgd) fetchGoModule; };
  buildGoModule = dgd.buildGoModule.override { inherit useDynDrv; };
  quote = s: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] s}'";
  each = names: f: builtins.concatStringsSep "\n" (map f names);
in
rec {
  packages = builtins.mapAttrs (_: p: buildGoModule p.args) programs;

  # A script that checks the names of the programs and their output.
  run =
    names:
    pkgs.stdenvNoCC.mkDerivation {
      name = "nixpkgs-run";
      buildCommand = each names (
        name:
        let
          inherit (programs.${name}) bin runs;
          package = packages.${name};
          command = text: ''
            said=$(${text})
            if [[ $said != *${quote runs.${text}}* ]]; then
              echo ${quote "${name}: ${text} does not say ${runs.${text}}:"} "$said" >&2
              exit 1
            fi
          '';
        in
        ''
          if [ "$(ls ${package}/bin | xargs)" != ${quote (toString bin)} ]; then
            echo "${name}: bin has" ${package}/bin/* >&2
            exit 1
          fi
          (
            export PATH=${package}/bin:$PATH
            ${each (builtins.attrNames runs) command}
          )
          echo ${quote name} >> $out
        ''
      );
    };

  # One derivation with one build cache, so that the standard library is compiled once for each set of flags. Without
  # subPackages it runs `go install ./...`, which installs at least the directories of buildGoModule.
  reference =
    names:
    pkgs.stdenv.mkDerivation {
      name = "nixpkgs-reference";
      nativeBuildInputs = [ pkgs.go ];
      buildCommand = ''
        export HOME=$TMPDIR GOCACHE=$TMPDIR/cache GOPATH=$TMPDIR/go
        export GOENV=off GOPROXY=off GOSUMDB=off GOTOOLCHAIN=local GO111MODULE=on
        ${each names (
          name:
          let
            inherit (programs.${name}) args;
            given = if builtins.isFunction args then args given else args;
            env = given.env or { };
            modules = packages.${name}.goModules;
          in
          ''
            echo ${quote "reference: ${name}"}
            cp -r --no-preserve=mode ${given.src} ${name}
            (
              cd ${name}
              ${given.postPatch or ""}
              ${if modules == "" then "" else "cp -r --no-preserve=mode ${modules} vendor; export GOFLAGS=-mod=vendor"}
              ${each (builtins.attrNames env) (n: "export ${n}=${quote (toString env.${n})}")}
              mkdir -p $out/${name}
              GOBIN=$out/${name} go install -trimpath -tags=${builtins.concatStringsSep "," (given.tags or [ ])} \
                -ldflags=${quote (builtins.concatStringsSep " " (given.ldflags or [ ] ++ [ "-buildid=" ]))} \
                ${builtins.concatStringsSep " " (map (p: "./${p}") (given.subPackages or [ "..." ]))}
            )
            rm -rf ${name}
          ''
        )}
      '';
    };

  # dgd's programs before fixupPhase, which strips them.
  identity =
    names:
    pkgs.stdenvNoCC.mkDerivation {
      name = "nixpkgs-identity";
      buildCommand = ''
        failed=
        ${each names (
          name:
          each programs.${name}.bin (bin: ''
            if cmp ${packages.${name}.dgd.program}/bin/${bin} ${reference names}/${name}/${bin}; then
              echo ${quote "${name}: ${bin} is the same"} | tee -a $out
            else
              failed+=" "${quote name}
            fi
          '')
        )}
        if [ -n "$failed" ]; then
          echo "these differ from what go install makes:$failed" >&2
          exit 1
        fi
      '';
    };

  all = builtins.attrNames programs;
}
