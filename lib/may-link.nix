# Whether sources may have symlinks into the store that lead somewhere where they are built: where a derivation has made
# them, and not one whose hash is known, which refers to nothing.
src:
if builtins.isAttrs src then
  src ? drvPath && src.outputHash or null == null
else
  builtins.isString src && !(import ./is-here.nix src)
