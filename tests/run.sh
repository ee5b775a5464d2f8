#!/bin/bash
# Builds and runs every test on a Debian 12, installing what that needs: sudo tests/run.sh
#
# Ends with a line for each step and exit code 0 only if all of them passed. A test that cannot run is a failure.
# VRRPD_TEST_JOBS sets how many network-namespace tests run at once (default 6: they mostly wait).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

if [ "$(id -u)" != 0 ]; then
  echo "tests/run.sh: network namespaces and raw sockets need root: sudo tests/run.sh" >&2
  exit 1
fi

scratch=$(mktemp -d)
export TMPDIR=$scratch
step_pid=

# Each step is a process group of its own, so that a signal reaches all of it, and so that it is over before we are.
set -m
clean_up() {
  trap '' INT TERM
  if [ -n "$step_pid" ]; then
    kill -TERM -- "-$step_pid" 2> /dev/null && wait "$step_pid"
  fi
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'echo "tests/run.sh: interrupted" >&2; exit 130' INT
trap 'echo "tests/run.sh: interrupted" >&2; exit 143' TERM

summary=()
failures=0

# step NAME COMMAND...: runs it and remembers how it went.
step() {
  local name=$1 began=$SECONDS result
  shift
  printf '\n== %s\n' "$name"
  "$@" < /dev/null &
  step_pid=$!
  if wait "$step_pid"; then
    result=passed
  else
    result=FAILED
    failures=$((failures + 1))
  fi
  step_pid=
  summary+=("$(printf '%-45s %s (%d s)' "$name" "$result" $((SECONDS - began)))")
  [ "$result" = passed ]
}

# not_run NAME: something it needs has failed.
not_run() {
  failures=$((failures + 1))
  summary+=("$(printf '%-45s FAILED (not run)' "$1")")
}

unit_tests() {
  ctest --preset "$1" --no-tests=error --parallel "$(nproc)"
}

namespace_tests() {
  export PYTHONDONTWRITEBYTECODE=1 VRRPD_BUILD=$PWD/build/dev
  exec /usr/bin/python3 -m pytest -q -n "${VRRPD_TEST_JOBS:-6}" tests/netns
}

test_packages=(
  chromium dbus faketime frr glusterfs-server haproxy iproute2 keepalived lintian mandoc nftables procps prometheus
  python3 python3-pytest python3-pytest-xdist python3-scapy rsync strace systemd systemd-container tcpdump tshark
  util-linux
)

document_tests() {
  export PYTHONDONTWRITEBYTECODE=1 VRRPD_BUILD=$PWD/build/dev
  exec /usr/bin/python3 -m pytest -q tests/documents
}

package_tests() {
  export PYTHONDONTWRITEBYTECODE=1
  exec /usr/bin/python3 -m pytest -q -n "$(nproc)" tests/package
}

gluster_tests() {
  export PYTHONDONTWRITEBYTECODE=1 VRRPD_BUILD=$PWD/build/dev
  exec /usr/bin/python3 -m pytest -q -n "$(nproc)" --dist loadgroup tests/gluster
}

bench_tests() {
  PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -m pytest -q tests/bench
}

step "packages" packaging/install-packages.sh "${test_packages[@]}"
if step "build dev" packaging/build.sh dev; then
  step "unit, property and simulation tests" unit_tests dev
  step "tests in network namespaces" namespace_tests
  step "tests of gluster-sync" gluster_tests
  step "tests of manuals, alerts and dashboard" document_tests
  step "tests of what the benchmarks compute" bench_tests
else
  not_run "unit, property and simulation tests"
  not_run "tests in network namespaces"
  not_run "tests of gluster-sync"
  not_run "tests of manuals, alerts and dashboard"
  not_run "tests of what the benchmarks compute"
fi
if step "build the Debian package" packaging/build-deb.sh &&
  step "build the RPM package" packaging/build-rpm.sh build/rpm build/package/source/obj-*; then
  step "tests of the packages on a machine with systemd" package_tests
else
  not_run "tests of the packages on a machine with systemd"
fi
if step "build asan" packaging/build.sh asan; then
  step "the same tests with sanitizers" unit_tests asan
else
  not_run "the same tests with sanitizers"
fi

printf '\n== summary\n'
printf '%s\n' "${summary[@]}"
if [ "$failures" != 0 ]; then
  printf 'tests/run.sh: %d of %d steps failed\n' "$failures" "${#summary[@]}"
  exit 1
fi
