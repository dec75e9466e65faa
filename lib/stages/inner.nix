# How the inner derivations of a build are made. The stages get it as one thing, and the planner what it has to know of
# that (drvgen.Inner). All that `allowGoReference` means is here.
{
  go, # the toolchain
  contentAddressed,
  granularity,
  allowGoReference,
  # Whether packages are compiled with -trimpath, which keeps the toolchain's path out of them.
  trimpath ? !allowGoReference,
}:
{
  inherit contentAddressed trimpath;
  # Store paths that no output may refer to.
  disallowedReferences = if allowGoReference then [ ] else [ go ];
  # Without -trimpath the place of a package's sources gets into its archive. It is that of a derivation's first package
  # for all packages.
  granularity = if trimpath then granularity else "package";
}
