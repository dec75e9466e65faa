# Makes Debian packages run from the store. The builder of ./default.nix:
#   packages  what is unpacked into $out
#   layout    a script that arranges $out
#   debian    all Debian packages, and libs, a folder that comes before theirs: where libraries are found
#   patch     whether $out holds programs that must find their libraries
# Libraries stay as they are: a program's DT_RPATH holds for the libraries of its libraries too.
set -euo pipefail
shopt -s nullglob

"$busybox" mkdir tools
"$busybox" --install -s "$PWD/tools"
PATH=$PWD/tools

# The folder of each library, by its name.
declare -A home
for package in "$libs" $debian; do
  for library in "$package"/{,usr/lib/*-linux-gnu*/}*.so*; do
    [[ ${home[${library##*/}]-} ]] || home[${library##*/}]=${library%/*}
  done
done

loader=$(echo "$libs"/ld-linux*.so.*)

patchelf() {
  "$loader" --library-path "$libs:${home[libstdc++.so.6]}" "$patchelf" "$@"
}

# Collects in folders where the libraries that FILE needs, and those that they need, are found.
declare -A needed
folders_of() { # FILE
  local name
  [[ ${needed[$1]-} ]] || needed[$1]=$(patchelf --print-needed "$1")$'\n'
  for name in ${needed[$1]}; do
    [[ ! ${seen[$name]-} ]] || continue
    seen[$name]=1
    [[ ${home[$name]-} ]] || {
      echo "$1 needs $name, which is in no package" >&2
      exit 1
    }
    folders[${home[$name]}]=1
    folders_of "${home[$name]}/$name"
  done
}

elf_type() { od -An -tu1 -j16 -N1 "$1"; } # FILE; 2: fixed addresses, 3: position-independent

set_elf_type() { printf "\\$2" | dd of="$1" bs=1 seek=16 conv=notrunc 2>/dev/null; } # FILE TYPE

# patchelf 0.18 makes overlapping segments where it enlarges a large program with fixed addresses (gcc's cc1).
# Taken for a position-independent one, the program keeps its segments and gets new ones behind them.
patch_program() { # FILE OPTIONS…
  local type=$(elf_type "$1")
  set_elf_type "$1" 3
  patchelf "${@:2}" "$1"
  set_elf_type "$1" $type
}

patch_programs() {
  local file magic rpath
  while IFS= read -r file; do
    read -rn4 magic <"$file" || true
    [[ $magic == $'\x7fELF' ]] && patchelf --print-interpreter "$file" >interpreter 2>&1 || continue
    local -A folders=() seen=()
    folders_of "$file"
    rpath=$(printf '%s\n' "${!folders[@]}" | sort | tr '\n' :)
    patch_program "$file" --set-interpreter "$loader" --force-rpath --set-rpath "${rpath%:}"
  done < <(find "$out" -type f -perm -u+x | sort)
}

mkdir -p "$out"
for package in $packages; do
  cp -a "$package/." "$out"
  chmod -R u+w "$out"
done
. "$layout"
[[ ! $patch ]] || patch_programs
