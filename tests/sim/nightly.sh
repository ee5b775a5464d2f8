#!/bin/sh
# The long run of the simulated network: a million schedules that no other night has seen, with the number of schedules
# per second, then the planted bugs (mutants.sh).
#
#   tests/sim/nightly.sh [BUILD]      BUILD is a build directory, build/dev by default
#
# Exits 0 if every invariant held and every bug was found.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
"${1:-$root/build/dev}/tests/sim/vrrp_sim" --schedules 1000000 --first-seed "$(date +%Y%m%d)000000" --jobs "$(nproc)"
exec "$root/tests/sim/mutants.sh"
