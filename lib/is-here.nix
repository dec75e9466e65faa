# Whether a source can be read now without building anything.
src: builtins.all (c: !(c ? outputs || c ? allOutputs)) (builtins.attrValues (builtins.getContext src))
