# Whether sources may have symlinks into the store: if they are the output of a derivation that is not a fixed-output one.
# The output of a fixed-output derivation refers to no store path.
src:
if builtins.isAttrs src then
  src ? drvPath && src.outputHash or null == null
else
  builtins.isString src && !(import ./is-here.nix src)
