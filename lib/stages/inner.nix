# How the inner derivations of a build are made: what their outputs are, and which packages share one. Evaluation and the
# planner (drvgen.Inner) get it as one thing.
{
  go, # the toolchain
  contentAddressed,
  granularity,
  allowGoReference,
}:
{
  inherit contentAddressed;
  # Store paths that no output may refer to.
  disallowedReferences = if allowGoReference then [ ] else [ go ];
  # Without -trimpath the place of a package's sources gets into its archive. It is that of a derivation's first package
  # for all packages.
  granularity = if allowGoReference then "package" else granularity;
}
