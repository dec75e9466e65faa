# Whether evaluation can read a source (a string) without building anything.
src: builtins.all (c: !(c ? outputs || c ? allOutputs)) (builtins.attrValues (builtins.getContext src))
