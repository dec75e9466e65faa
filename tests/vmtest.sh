# Builds examples in both modes, as an ordinary user of a machine with a Nix daemon and without network, and tells how
# long each took: vmtest.sh SOURCES EXAMPLES…
set -euo pipefail
shopt -s inherit_errexit

readonly sources=$1
readonly examples=("${@:2}")

fail() {
  echo "vmtest: $*" >&2
  exit 1
}

report() { printf "$@" | tee -a "$REPORT"; }

# The machine is what it should be.
((EUID != 0)) || fail "this is for an ordinary user"
[[ $(ls /sys/class/net) == lo ]] || fail "there is a network: $(ls /sys/class/net)"
[[ $NIX_REMOTE == daemon ]] || fail "NIX_REMOTE is $NIX_REMOTE"
! touch /nix/store/mine 2>/dev/null || fail "the store can be written to without the daemon"
setting() { nix --extra-experimental-features nix-command config show "$1"; }
[[ $(setting sandbox) == true ]] || fail "builds have no sandbox"
[[ -z $(setting substituters) ]] || fail "there are substituters"

# ARGUMENTS… of nix-build; leaves the seconds and the number of derivations in `seconds` and `built`, the path in `path`.
build() {
  local start=$SECONDS
  nix-build "$sources" --no-out-link "$@" 2>&1 >"$HOME/path" | tee "$HOME/log" || fail "nix-build $* has failed"
  path=$(<"$HOME/path")
  seconds=$((SECONDS - start))
  built=$(grep -c "^building '" "$HOME/log") || true
}

report '%s\n\n' "$(nix --version), $(nproc) processors"
report '| mode | what | derivations built | seconds |\n|---|---|---|---|\n'
total=$SECONDS
for mode in dynamic ifd; do
  dynamic=$([[ $mode == ifd ]] && echo false || echo true)
  for example in "${examples[@]}"; do
    build --arg useDynDrv $dynamic -A "examples.$example"
    report '| %s | %s | %s | %s |\n' $mode "$example" "$built" "$seconds"
  done
  # Each is run, and what it prints compared.
  build --arg useDynDrv $dynamic -A tests.someExamples --arg names "[ $(printf '"%s" ' "${examples[@]}")]"
  [[ $(<"$path") == "${#examples[@]} examples" ]] || fail "$path: $(<"$path")"
  report '| %s | all are run | %s | %s |\n' $mode "$built" "$seconds"
done
report '\n%s\n' "${#examples[@]} examples in both modes: $((SECONDS - total)) seconds"
