# A --sysroot: Debian's links from / to /usr, and the shared libraries that linking looks at.
ln -s usr/lib "$out/lib"
ln -s usr/lib64 "$out/lib64"
mkdir -p "$out/usr/lib64"
triplet=$(cd "$out"/usr/lib/gcc/*-linux-gnu* && echo "${PWD##*/}")
for library in "$libs"/*; do
  ln -s "$library" "$out/usr/lib/$triplet"
done
ln -s "$libs"/ld-linux*.so.* "$out/usr/lib64"

# Links to libraries of other packages, such as libstdc++.so, and for the linker where such a library is.
mkdir -p "$out/nix-support"
while IFS= read -r link; do
  target=$(readlink "$link")
  target=${target##*/}
  [[ ! -e $link && ${home[$target]-} ]] || continue
  ln -sf "${home[$target]}/$target" "$link"
  echo "${link##*/} ${home[$target]}" >>"$out/nix-support/libraries"
done < <(find "$out" -type l -name '*.so' | sort)
