#!@bash@
# The linker; the programs that it makes start with the loader in the store and find their libraries there.
# DT_RPATH, and not DT_RUNPATH, for the libraries of their libraries.
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
expand "$@" $NIX_LDFLAGS

folders=() rpath=() dynamic=1 static= loader=()

add() { # FOLDER
  [[ $1 == "$store"/* && " ${rpath[*]} " != *" $1 "* ]] && rpath+=("$1")
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
    -L | --library-path) folders+=("${words[++i]}") ;;
    -L*) folders+=("${word#-L}") ;;
    --library-path=*) folders+=("${word#*=}") ;;
    -l | --library) [[ $static ]] || libraries+=("${words[++i]}") ;;
    -l*) [[ $static ]] || libraries+=("${word#-l}") ;;
    -dynamic-linker | --dynamic-linker | -I) loader=(-dynamic-linker "$(echo "$libs"/ld-linux*.so.*)") && ((i++)) ;;
    -static | -r | -i | --relocatable) dynamic= ;;
    -Bstatic | -dn | -non_shared) static=1 ;;
    -Bdynamic | -dy | -call_shared) static= ;;
    *.so | *.so.*) [[ $word != /* ]] || add "${word%/*}" ;;
    -rpath | -soname | -h | -o | -m | -z | -plugin | -T | -rpath-link) ((i++)) ;;
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
exec @program@ --disable-new-dtags "$@" $NIX_LDFLAGS "${loader[@]}" "${extra[@]}"
