# Bare derivations that test what the sandbox allows.
{
  file ? "",
  port ? "",
  socket ? null,
}:

let
  bare =
    name: script: attrs:
    derivation (
      {
        inherit name;
        system = builtins.currentSystem;
        builder = "/bin/sh";
        args = [
          "-c"
          script
        ];
      }
      // attrs
    );

  # A derivation that copies its variable `text` to its output.
  copy = "read -r text <$source; echo $text >$out";
in
rec {
  # Lists the files of the machine that it can see.
  sees = bare "sees" ''
    {
      if [ -e "$file" ]; then echo "the file $file"; fi
      if (true <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "port $port"; fi
      echo end
    } >$out
  '' { inherit file port; };

  # Connects to the store socket in the sandbox.
  asks = bare "asks" "$socket >$out" {
    inherit socket;
    requiredSystemFeatures = [ "recursive-nix" ];
  };

  inner = bare "inner" "echo inner >$out" {
    __contentAddressed = true;
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
  };

  planner = bare "planned.drv" copy {
    source = builtins.unsafeDiscardOutputDependency inner.drvPath;
    __contentAddressed = true;
    outputHashMode = "text";
    outputHashAlgo = "sha256";
  };

  # Depends on a dynamic derivation.
  dynamic = bare "dynamic" copy { source = builtins.outputOf planner.outPath "out"; };
}
