#!/bin/sh
# Proves that the simulation's invariants can fail: each patch in mutants/ plants one bug in a copy of the engine, and
# the simulation has to find it within 10,000 schedules. The engine as it is has to pass them first.
#
#   tests/sim/mutants.sh [NAME …]      all of them, or those named (without .patch)
#
# CXX and CXXFLAGS are honoured. Exits 0 if every bug was found; otherwise says which were not, or which patch no
# longer applies.
set -eu

schedules=10000
root=$(cd "$(dirname "$0")/../.." && pwd)
here="$root/tests/sim"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

compile() { # SOURCE OBJECT
  # shellcheck disable=SC2086  # flags are words, not one argument
  "${CXX:-g++}" -std=c++20 -O1 ${CXXFLAGS-} -D_GLIBCXX_ASSERTIONS -I"$root" -I"$root/include" -c "$1" -o "$2"
}

for source in "$here"/*.cpp "$root"/vrrpd/engine/*.cpp; do
  case $source in
    *_test.cpp | */router.cpp) ;;
    *) compile "$source" "$work/$(basename "$source" .cpp).o" ;;
  esac
done

# The engine in $work/engine.cpp, against so many schedules; prints what vrrp_sim prints.
simulate() {
  compile "$work/engine.cpp" "$work/engine.o"
  "${CXX:-g++}" "$work"/*.o -lfmt -pthread -o "$work/vrrp_sim"
  # A planted bug may make it spin; whoever is not found in time is not found.
  timeout 300 "$work/vrrp_sim" --schedules "$schedules" --jobs 1
}

cp "$root/vrrpd/engine/router.cpp" "$work/engine.cpp"
if ! simulate > "$work/output"; then
  echo "the engine itself does not pass:" >&2
  sed -n 2p "$work/output" >&2
  exit 1
fi

if [ $# -eq 0 ]; then
  for patch in "$here"/mutants/*.patch; do
    set -- "$@" "$(basename "$patch" .patch)"
  done
fi
survivors=
for name in "$@"; do
  cp "$root/vrrpd/engine/router.cpp" "$work/engine.cpp"
  if ! patch --quiet --fuzz=0 "$work/engine.cpp" "$here/mutants/$name.patch" > "$work/output" 2>&1; then
    echo "$name: the patch does not apply" >&2
    survivors="$survivors $name"
    continue
  fi
  status=0
  simulate > "$work/output" || status=$?
  if [ "$status" -ne 1 ]; then
    echo "$name: NOT FOUND in $schedules schedules" >&2
    survivors="$survivors $name"
    continue
  fi
  # Seeds count from 1, so the first that fails is the number of schedules it took.
  sed -n "2s,^seed \([0-9]*\): \(I[0-9]*\).*,\1 \2,p" "$work/output" | {
    read -r seed invariant
    printf '%-40s found by %-3s in schedule %s\n' "$name" "$invariant" "$seed"
  }
done
if [ -n "$survivors" ]; then
  echo "not found:$survivors" >&2
  exit 1
fi
