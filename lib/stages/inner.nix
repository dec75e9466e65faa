# The settings of a build's inner derivations, which the stages pass on as a whole; the planner gets those that it needs
# (drvgen.Inner). This file decides all that follows from `allowGoReference`.
{
  go, # the toolchain
  contentAddressed,
  granularity,
  allowGoReference,
  # Whether packages are compiled with -trimpath, which keeps the toolchain's path out of programs.
  trimpath ? !allowGoReference,
}:
{
  inherit contentAddressed trimpath;
  # Store paths that no output may refer to.
  disallowedReferences = if allowGoReference then [ ] else [ go ];
  # Without -trimpath an archive contains the path of the package's sources. That path is the same for all packages only
  # if each is the first one in its derivation.
  granularity = if trimpath then granularity else "package";
}
