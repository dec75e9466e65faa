mkdir "$out"
{
  echo "initialPath='$initialPath' SHELL=$shell"
  cat "$setup"
} >"$out/setup"
