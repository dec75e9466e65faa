# The builder's side of mkDerivation: its environment, its phases, and the functions that nixpkgs' builders use.
# The lines before this one set initialPath and SHELL.

set -eu -o pipefail
shopt -s inherit_errexit

# With structured attributes, lists are arrays and nothing is exported but the outputs and what `env` holds.
__structuredAttrs=
if [[ -e ${NIX_ATTRS_SH_FILE-} ]]; then
  __structuredAttrs=1
  for name in "${!outputs[@]}"; do
    export "$name=${outputs[$name]}"
  done
  for name in "${!env[@]}"; do
    export "$name=${env[$name]}"
  done
  unset name
fi

export SHELL HOME=/homeless-shelter TZ=UTC
export NIX_ENFORCE_PURITY=${NIX_ENFORCE_PURITY-1}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-315532800}
export NIX_STORE=${NIX_STORE:-/nix/store}
umask 022

# Environment

addToSearchPathWithCustomDelimiter() { # DELIMITER VARIABLE FOLDER
  if [[ -d $3 ]]; then
    export "$2=${!2:+${!2}$1}$3"
  fi
}

addToSearchPath() { addToSearchPathWithCustomDelimiter : "$@"; }

PATH=
for package in $initialPath; do
  addToSearchPath PATH "$package/bin"
done

# Packages on which an input depends at build time, as its nix-support says.
declare -A seenInputs=()
findInputs() { # native|host PACKAGE
  [[ ! ${seenInputs[$1 $2]-} && -e $2 ]] || return 0
  seenInputs[$1 $2]=1
  local propagated
  if [[ $1 == native ]]; then
    nativeInputs+=("$2")
  else
    hostInputs+=("$2")
  fi
  # Those of a native one would be native to the machine before it: stdenv leaves them out.
  if [[ $1 == host && -e $2/nix-support/propagated-native-build-inputs ]]; then
    for propagated in $(<"$2/nix-support/propagated-native-build-inputs"); do
      findInputs native "$propagated"
    done
  fi
  if [[ -e $2/nix-support/propagated-build-inputs ]]; then
    for propagated in $(<"$2/nix-support/propagated-build-inputs"); do
      findInputs "$1" "$propagated"
    done
  fi
}

nativeInputs=() hostInputs=()
for package in ${depsBuildBuild[@]-} ${nativeBuildInputs[@]-} ${propagatedNativeBuildInputs[@]-}; do
  findInputs native "$package"
done
for package in ${buildInputs[@]-} ${propagatedBuildInputs[@]-}; do
  findInputs host "$package"
done

# Without strictDeps, commands of libraries are found, and the compiler looks into tools as well.
strictInputs=(${nativeInputs[@]+"${nativeInputs[@]}"}) looseInputs=(${hostInputs[@]+"${hostInputs[@]}"})
if [[ ! ${strictDeps-} ]]; then
  strictInputs+=("${looseInputs[@]}")
  looseInputs=(${nativeInputs[@]+"${nativeInputs[@]}"} "${looseInputs[@]}")
fi

# Inputs come before the stdenv's own commands.
initial=$PATH PATH=
for package in "${strictInputs[@]}"; do
  addToSearchPath PATH "$package/bin"
done
PATH=${PATH:+$PATH:}$initial

export PKG_CONFIG_PATH=${PKG_CONFIG_PATH-} NIX_CFLAGS_COMPILE=${NIX_CFLAGS_COMPILE-} NIX_LDFLAGS=${NIX_LDFLAGS-}
for package in "${looseInputs[@]}"; do
  addToSearchPath PKG_CONFIG_PATH "$package/lib/pkgconfig"
  addToSearchPath PKG_CONFIG_PATH "$package/share/pkgconfig"
  if [[ -d $package/include ]]; then
    NIX_CFLAGS_COMPILE+=" -isystem $package/include"
  fi
  if [[ -d $package/lib ]]; then
    NIX_LDFLAGS+=" -L$package/lib"
  fi
done

if type -P gcc >/dev/null; then
  export CC=${CC-gcc} CXX=${CXX-g++} AR=${AR-ar} AS=${AS-as} LD=${LD-ld} NM=${NM-nm}
  export OBJCOPY=${OBJCOPY-objcopy} RANLIB=${RANLIB-ranlib} STRIP=${STRIP-strip}
fi

for package in ${nativeInputs[@]+"${nativeInputs[@]}"} ${hostInputs[@]+"${hostInputs[@]}"}; do
  if [[ -e $package/nix-support/setup-hook ]]; then
    . "$package/nix-support/setup-hook"
  fi
done
unset package initial strictInputs looseInputs

if type -P gcc >/dev/null; then
  . "$(dirname "$(type -P gcc)")/../nix-support/setup-hook"
fi

# A library of the package's own is found by its programs; what they do not need, fixup takes away again. nixpkgs does not
# ask whether there will be a fixup. Here a derivation without one has the programs that the go command makes elsewhere.
if [[ ${NIX_NO_SELF_RPATH-} != 1 && ! ${dontFixup-} ]]; then
  NIX_LDFLAGS="-rpath ${lib-$out}/lib $NIX_LDFLAGS"
fi
seed=${NIX_OUTPATH_USED_AS_RANDOM_SEED-$out}
seed=${seed##*/}
NIX_CFLAGS_COMPILE+=" -frandom-seed=${seed:0:10}"
unset seed

export NIX_BUILD_CORES=${NIX_BUILD_CORES:-1}
((NIX_BUILD_CORES > 0)) || NIX_BUILD_CORES=$(nproc)

# Functions

nixLog() { echo "$@" >&2; }

# Appends the words of variables, lists or strings, to an array.
concatTo() { # ARRAY VARIABLE…
  local -n target=$1
  local name
  shift
  for name; do
    local -n words=$name
    if [[ ${words@a} == *a* ]]; then
      target+=("${words[@]}")
    else
      target+=(${words-})
    fi
  done
}

# Prints the words of a variable with a separator between them.
concatStringsSep() { # SEPARATOR VARIABLE
  local list=() text
  concatTo list "$2"
  printf -v text "%s$1" ${list[@]+"${list[@]}"}
  printf %s "${text%"$1"}"
}

# Runs the hook NAME: the function or variable of that name, then each of the array or list NAMEHooks.
runHook() { # NAME [ARGUMENTS…]
  local hookName=$1 hook
  shift
  local -n hooks=${hookName%Hook}Hooks
  for hook in "_callImplicitHook 0 $hookName" ${hooks[@]+"${hooks[@]}"}; do
    _eval "$hook" "$@"
  done
}

_callImplicitHook() { # DEFAULT NAME
  local hookName=$2
  if declare -F "$hookName" >/dev/null; then
    "$hookName"
  elif [[ ${!hookName-} ]]; then
    eval "${!hookName}"
  fi
}

_eval() { # CODE [ARGUMENTS…]
  if declare -F "$1" >/dev/null; then
    "$@"
  else
    eval "$1"
  fi
}

stripHash() { # STORE-PATH; prints the name without the hash
  local name=${1##*/}
  if [[ $name =~ ^[a-z0-9]{32}-(.*)$ ]]; then
    name=${BASH_REMATCH[1]}
  fi
  echo "$name"
}

substituteStream() { # TEXT-VARIABLE WHERE OPTIONS…
  local -n text=$1
  local where=$2 pattern replacement
  shift 2
  while (($#)); do
    case $1 in
      --replace | --replace-warn | --replace-fail | --replace-quiet)
        pattern=$2 replacement=$3
        if [[ $text != *"$pattern"* ]]; then
          case $1 in
            --replace-fail)
              nixLog "substitute: pattern $pattern is not in $where"
              return 1
              ;;
            --replace | --replace-warn) nixLog "substitute: warning: pattern $pattern is not in $where" ;;
          esac
        fi
        text=${text//"$pattern"/"$replacement"}
        shift 3
        ;;
      --subst-var)
        text=${text//"@$2@"/"${!2}"}
        shift 2
        ;;
      --subst-var-by)
        text=${text//"@$2@"/"$3"}
        shift 3
        ;;
      *)
        nixLog "substitute: unknown option $1"
        return 1
        ;;
    esac
  done
}

substitute() { # INPUT OUTPUT OPTIONS…
  local input=$1 output=$2 content
  shift 2
  IFS= read -r -d '' content <"$input" || true
  substituteStream content "$input" "$@"
  printf %s "$content" >"$output"
}

substituteInPlace() { # FILES… OPTIONS…
  local -a files=()
  while (($#)) && [[ $1 != --* ]]; do
    files+=("$1")
    shift
  done
  local file
  for file in "${files[@]}"; do
    substitute "$file" "$file" "$@"
  done
}

substituteAll() { # INPUT OUTPUT
  local varName options=()
  for varName in $(compgen -e); do
    [[ $varName =~ ^[a-z][A-Za-z0-9_]*$ ]] && options+=(--subst-var "$varName")
  done
  substitute "$1" "$2" ${options[@]+"${options[@]}"}
}

# #! lines of scripts below FOLDERS… name programs by the PATH of the build.
patchShebangs() { # [--build|--host] FOLDERS…
  local file line interpreter rest name
  while IFS= read -r -d '' file; do
    IFS= read -r line <"$file" 2>/dev/null || true
    [[ ${line-} == '#!'* ]] || continue
    read -r interpreter rest <<<"${line#\#!}"
    [[ $interpreter == /* && $interpreter != "$NIX_STORE"/* ]] || continue
    if [[ $interpreter == */env ]]; then
      [[ $rest != -S* ]] || rest=${rest#-S}
      read -r interpreter rest <<<"$rest"
    fi
    name=$(type -P "${interpreter##*/}") || continue
    sed -i "1s|.*|#!$name${rest:+ $rest}|" "$file"
  done < <(find "${@#--*}" -type f -perm -0100 -print0 2>/dev/null)
}

# Phases

unpackFile() { # FILE
  case $1 in
    *.tar | *.tar.* | *.tgz | *.tbz2 | *.txz) tar xf "$1" ;;
    *)
      if [[ ! -d $1 ]]; then
        nixLog "unpack: do not know how to unpack $1"
        return 1
      fi
      cp -R --preserve=timestamps -- "$1" "$(stripHash "$1")"
      ;;
  esac
}

unpackPhase() {
  runHook preUnpack
  local before after source folder
  if [[ ! ${srcs[*]-}${src-} ]]; then
    nixLog 'unpack: $src or $srcs should point to the source'
    return 1
  fi
  declare -A before=()
  for folder in */; do
    before[$folder]=1
  done
  for source in ${srcs[@]-${src-}}; do
    nixLog "unpacking source archive $source"
    unpackFile "$source"
  done
  if [[ ${setSourceRoot-} ]] || declare -F setSourceRoot >/dev/null; then
    _callImplicitHook 0 setSourceRoot
  elif [[ ! ${sourceRoot-} ]]; then
    for folder in */; do
      if [[ -d $folder && ! ${before[$folder]-} ]]; then
        if [[ ${sourceRoot-} ]]; then
          nixLog 'unpack: produced several folders; set sourceRoot'
          return 1
        fi
        sourceRoot=${folder%/}
      fi
    done
  fi
  if [[ ! ${sourceRoot-} ]]; then
    nixLog 'unpack: produced no folder'
    return 1
  fi
  chmod -R u+w -- "$sourceRoot"
  runHook postUnpack
}

patchPhase() {
  runHook prePatch
  local file flags=()
  concatTo flags patchFlags
  ((${#flags[@]})) || flags=(-p1)
  for file in ${patches[@]-}; do
    nixLog "applying patch $file"
    case $file in
      *.gz) gzip -d <"$file" ;;
      *.xz) xz -d <"$file" ;;
      *.bz2) bzip2 -d <"$file" ;;
      *) cat "$file" ;;
    esac | patch "${flags[@]}"
  done
  runHook postPatch
}

configurePhase() {
  runHook preConfigure
  if [[ ! ${configureScript-} && -x ./configure ]]; then
    configureScript=./configure
  fi
  if [[ ${configureScript-} ]]; then
    $configureScript ${dontAddPrefix:-${prefixKey:---prefix=}$prefix} ${configureFlags[@]-} \
      ${configureFlagsArray[@]+"${configureFlagsArray[@]}"}
  fi
  runHook postConfigure
}

# make with the flags of makeFlags and of VARIABLES…
runMake() { # TARGETS VARIABLES…
  local flags=()
  concatTo flags makeFlags "${@:2}"
  make ${makefile:+-f "$makefile"} ${enableParallelBuilding:+-j"$NIX_BUILD_CORES"} SHELL="$SHELL" $1 \
    ${flags[@]+"${flags[@]}"} ${makeFlagsArray[@]+"${makeFlagsArray[@]}"}
}

haveMakefile() { [[ ${makefile-} || -e Makefile || -e makefile || -e GNUmakefile ]]; }

buildPhase() {
  runHook preBuild
  if haveMakefile; then
    runMake "" buildFlags
  fi
  runHook postBuild
}

checkPhase() {
  runHook preCheck
  if haveMakefile; then
    runMake "${checkTarget-check}" checkFlags
  fi
  runHook postCheck
}

installPhase() {
  runHook preInstall
  if haveMakefile; then
    mkdir -p "$prefix"
    runMake "${installTargets-install}" installFlags
  fi
  runHook postInstall
}

isELF() { # FILE
  local magic
  LC_ALL=C IFS= read -r -n 4 -d '' magic <"$1" || true
  [[ $magic == $'\177ELF' ]]
}

# Leaves in the rpath what the file's libraries are found in, as patchelf --shrink-rpath does, and the C library's folder:
# rpaths of these programs hold for the libraries of their libraries, too.
shrinkRpath() { # FILE
  local rpath folder name kept=
  rpath=$(patchelf --print-rpath "$1" 2>/dev/null) || return 0
  for folder in ${rpath//:/ }; do
    if [[ -f ${folder%/*} ]]; then # patchelf stops there, and leaves all as it is
      nixLog "patchelf: getting info about '$folder': Not a directory"
      return
    fi
    for name in $(patchelf --print-needed "$1") 'ld-linux*'; do
      if compgen -G "$folder/$name" >/dev/null; then
        kept+=${kept:+:}$folder
        break
      fi
    done
  done
  [[ $kept == "$rpath" ]] || patchelf --force-rpath --set-rpath "$kept" "$1"
}

fixupPhase() {
  local output folder file
  for output in $(outputNames); do
    [[ ! -d ${!output} ]] || chmod -R u+w,u-s,g-s -- "${!output}"
  done
  runHook preFixup
  for output in $(outputNames); do
    [[ -d ${!output} ]] || continue
    if [[ ! ${dontPatchShebangs-} ]]; then
      patchShebangs "${!output}"
    fi
    if [[ ! ${dontPatchELF-} ]]; then
      while IFS= read -r -d '' file; do
        ! isELF "$file" || shrinkRpath "$file"
      done < <(find "${!output}" -type f -print0)
    fi
    if [[ ! ${dontStrip-} ]] && type -P strip >/dev/null; then
      for folder in ${stripDebugList[@]-lib lib64 libexec bin sbin}; do
        [[ ! -d ${!output}/$folder ]] ||
          find "${!output}/$folder" -type f -exec strip --strip-debug --preserve-dates {} + 2>/dev/null || true
      done
    fi
  done
  folder=${dev-$out}/nix-support
  if [[ ${propagatedBuildInputs[*]-} ]]; then
    mkdir -p "$folder"
    echo "${propagatedBuildInputs[*]}" >"$folder/propagated-build-inputs"
  fi
  if [[ ${propagatedNativeBuildInputs[*]-} ]]; then
    mkdir -p "$folder"
    echo "${propagatedNativeBuildInputs[*]}" >"$folder/propagated-native-build-inputs"
  fi
  if [[ ${setupHook-} ]]; then
    mkdir -p "$folder"
    substituteAll "$setupHook" "$folder/setup-hook"
  fi
  runHook postFixup
}

installCheckPhase() {
  runHook preInstallCheck
  if haveMakefile && [[ ${installCheckTarget-} ]]; then
    runMake "$installCheckTarget" installCheckFlags
  fi
  runHook postInstallCheck
}

distPhase() { runHook preDist && runHook postDist; }

outputNames() {
  if [[ ${__structuredAttrs-} ]]; then
    echo "${!outputs[@]}"
  else
    echo "${outputs:-out}"
  fi
}

# The variable of the phase's name, else the function.
runPhase() { # PHASE
  case $1 in
    unpackPhase) [[ ! ${dontUnpack-} ]] || return 0 ;;
    patchPhase) [[ ! ${dontPatch-} ]] || return 0 ;;
    configurePhase) [[ ! ${dontConfigure-} ]] || return 0 ;;
    buildPhase) [[ ! ${dontBuild-} ]] || return 0 ;;
    checkPhase) [[ ${doCheck-} && ! ${dontCheck-} ]] || return 0 ;;
    installPhase) [[ ! ${dontInstall-} ]] || return 0 ;;
    fixupPhase) [[ ! ${dontFixup-} ]] || return 0 ;;
    installCheckPhase) [[ ${doInstallCheck-} ]] || return 0 ;;
    distPhase) [[ ${doDist-} ]] || return 0 ;;
  esac
  nixLog "Running phase: $1"
  local code=${!1-}
  if [[ $code ]]; then
    eval "$code"
  else
    $1
  fi
  if [[ $1 == unpackPhase && -d ${sourceRoot-} ]]; then
    cd -- "$sourceRoot"
  fi
}

genericBuild() {
  cd "$NIX_BUILD_TOP"
  if [[ ${buildCommandPath-} ]]; then
    . "$buildCommandPath"
    return
  fi
  if [[ ${buildCommand-} ]]; then
    eval "$buildCommand"
    return
  fi
  local phase
  for phase in ${phases[@]-${prePhases[@]-} unpackPhase patchPhase ${preConfigurePhases[@]-} configurePhase \
    ${preBuildPhases[@]-} buildPhase checkPhase ${preInstallPhases[@]-} installPhase ${preFixupPhases[@]-} fixupPhase \
    installCheckPhase ${preDistPhases[@]-} distPhase ${postPhases[@]-}}; do
    runPhase "$phase"
  done
}

prefix=${prefix-${out-}}

# What users write may use unset variables.
set +u
