# The commands of $gcc under their plain names: the compilers and ld as scripts, the others as links.
mkdir "$out/bin" "$out/nix-support"
cp "$wrapper" "$out/nix-support/wrapper.sh"
for program in "$gcc"/usr/bin/*; do
  name=${program##*/}
  case $name in
    *-linux-gnu* | *-[0-9]* | c?9-gcc | lto-dump | gp-* | gprofng*) continue ;;
    gcc | g++ | cpp) script=$cc_wrapper ;;
    ld) script=$ld_wrapper ;;
    *)
      ln -s "$program" "$out/bin/$name"
      continue
      ;;
  esac
  sed "s|@bash@|$bash|g; s|@program@|$program|g; s|@out@|$out|g; s|@gcc@|$gcc|g; s|@libs@|$libs|g; s|@store@|$store|g" \
    "$script" >"$out/bin/$name"
  chmod +x "$out/bin/$name"
done
ln -s gcc "$out/bin/cc"
ln -s g++ "$out/bin/c++"

# stdenv's set-up runs this: what hardening there is where a build says nothing.
echo ": \${NIX_HARDENING_ENABLE=\"$hardening\"}; export NIX_HARDENING_ENABLE" >"$out/nix-support/setup-hook"
