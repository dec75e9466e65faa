# A --sysroot: Debian's links from / to /usr, and the shared libraries that linking looks at.
ln -s usr/lib "$out/lib"
ln -s usr/lib64 "$out/lib64"
mkdir -p "$out/usr/lib64"
triplet=$(cd "$out"/usr/lib/gcc/*-linux-gnu* && echo "${PWD##*/}")

# The C library's parts stand here for linking only, under names with their store paths, so that a program
# that Go links without the help of ld, which has no rpath, finds them too.
for library in "$libs"/*.so.*; do
  stub=$out/usr/lib/$triplet/${library##*/}
  if [[ $library == "$loader" ]]; then
    ln -s "$library" "$stub"
    ln -s "$library" "$out/usr/lib64"
  else
    cp "$library" "$stub"
    chmod u+w "$stub"
    patchelf --set-soname "$library" "$stub"
  fi
done

# Links to libraries of other packages, such as libstdc++.so, and for ld where such a library is at run time.
mkdir -p "$out/nix-support"
while IFS= read -r link; do
  target=$(readlink "$link")
  target=${target##*/}
  [[ ! -e $link && ${home[$target]-} ]] || continue
  ln -sf "${home[$target]}/$target" "$link"
  echo "${link##*/} ${home[$target]}" >>"$out/nix-support/libraries"
done < <(find "$out" -type l -name '*.so' | sort)
