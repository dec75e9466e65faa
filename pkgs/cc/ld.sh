#!@bash@
# The linker; the programs that it makes start with the loader in the store and find their libraries there.
# DT_RPATH, and not DT_RUNPATH, for the libraries of their libraries.
set -eu
. @out@/nix-support/wrapper.sh
gcc=@gcc@ libs=@libs@ store=@store@

# The arguments, also those in gcc's response files.
words=()
expand() {
  local word
  for word; do
    if [[ $word == @* && -e ${word#@} ]]; then
      local -a lines=()
      while read word || [[ $word ]]; do # without -r: read takes the backslashes away
        lines+=("$word")
      done <"${word#@}"
      expand "${lines[@]}"
    else
      words+=("$word")
    fi
  done
}
expand "$@" ${NIX_LDFLAGS-}

# A file of neither the store nor the build is refused.
if [[ ${NIX_ENFORCE_PURITY-} == 1 ]]; then
  pureArguments -L -rpath -dynamic-linker -- "${words[@]}"
  for word in "${arguments[@]}"; do
    if [[ $word == /*/* ]] && badPath "$word"; then
      echo "impure path \`$word' used in link" >&2
      exit 1
    fi
  done
fi

# A hash of the program as it is linked is put into it where somebody wants that, and not because Debian's gcc does: it
# would tell of paths that fixup takes away again.
buildID=(--build-id=none)
for word in "${words[@]}"; do
  [[ $word != --build-id=* ]] || buildID=()
done
if [[ ${NIX_SET_BUILD_ID-} == 1 ]]; then
  buildID=(--build-id=sha1)
fi

hardening=()
for flag in ${NIX_HARDENING_ENABLE-}; do
  case $flag in
    relro) hardening+=(-z relro) ;;
    bindnow) hardening+=(-z now) ;;
  esac
done

folders=() rpath=() dynamic=1 static= loader=()

add() { # FOLDER
  if [[ $1 == "$store"/* && " ${rpath[*]} " != *" $1 "* ]]; then
    rpath+=("$1")
  fi
}

# Where the program finds a library at run time: the folder where ld finds it.
find_library() { # NAME, or :FILE
  local folder file=lib$1.so name home
  [[ $1 != :* ]] || file=${1#:}
  for folder in "${folders[@]}"; do
    if [[ -e $folder/$file ]]; then
      case $folder in
        "$gcc"/*)
          while read -r name home; do
            [[ $name != "$file" ]] || add "$home"
          done <"$gcc/nix-support/libraries"
          ;;
        *) add "$folder" ;;
      esac
      return
    elif [[ -e ${folder}/${file%.so}.a ]]; then
      return
    fi
  done
}

libraries=()
for ((i = 0; i < ${#words[@]}; i++)); do
  word=${words[i]}
  case $word in
    -L | --library-path) folders+=("${words[++i]-}") ;;
    -L*) folders+=("${word#-L}") ;;
    --library-path=*) folders+=("${word#*=}") ;;
    -l | --library) [[ $static ]] || libraries+=("${words[++i]-}") ;;
    -l*) [[ $static ]] || libraries+=("${word#-l}") ;;
    -dynamic-linker | --dynamic-linker | -I)
      loader=(-dynamic-linker "$(echo "$libs"/ld-linux*.so.*)")
      i=$((i + 1))
      ;;
    -static | -r | -i | --relocatable) dynamic= ;;
    -Bstatic | -dn | -non_shared) static=1 ;;
    -Bdynamic | -dy | -call_shared) static= ;;
    *.so | *.so.*) [[ $word != /* ]] || add "${word%/*}" ;;
    -rpath | -soname | -h | -o | -m | -z | -plugin | -T | -rpath-link) i=$((i + 1)) ;;
  esac
done
for library in "${libraries[@]}"; do
  find_library "$library"
done

extra=()
if [[ $dynamic ]]; then
  for folder in "${rpath[@]}" "$libs"; do
    extra+=(-rpath "$folder")
  done
fi
pureArguments -L -rpath -- "$@" ${NIX_LDFLAGS-}
exec @program@ --disable-new-dtags "${hardening[@]}" "${arguments[@]}" "${loader[@]}" "${extra[@]}" "${buildID[@]}"
