# Builds all examples, runs those that can run on this machine, and compares their output with the expected one.
{
  pkgs,
  examples, # attribute set of packages
  expect, # by name, the expected output, or null
  notes, # by name, a note for the log
  run, # by name, the script that runs the example, or null to run its programs
}:
let
  check = name: ''
    echo '${name}${notes.${name} or ""}'
    programs=(${examples.${name}}/bin/*)
    [ -e "''${programs[0]}" ] || { echo "${name}: no program in bin/" >&2; exit 1; }
    ${
      if expect.${name} == null then
        ""
      else
        ''
          (
            ${
              if run.${name} == null then
                ''for p in "''${programs[@]}"; do "$p"; done''
              else
                ''
                  bin=${examples.${name}}/bin
                  mkdir work
                  cd work
                  ${run.${name}}
                ''
            }
          ) > got
          rm -rf work
          if ! cmp -s got ${builtins.toFile "expect" expect.${name}}; then
            echo "${name} prints something else than it should:" >&2
            cat got >&2
            exit 1
          fi
        ''
    }
  '';
in
pkgs.stdenv.mkDerivation {
  name = "test-examples";
  buildCommand = ''
    ${builtins.concatStringsSep "\n" (map check (builtins.attrNames examples))}
    echo ${toString (builtins.length (builtins.attrNames examples))} examples > $out
  '';
}
