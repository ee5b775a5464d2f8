#!/bin/bash
# Shows vrrpd at work on this machine: sudo packaging/demo.sh [--keep]
#
# Builds a release and starts two machines (network namespaces), each with a real HAProxy in front of four teams and
# with vrrpd on the configuration of etc/vrrpd.yaml. Plays three scenarios and prints what happens when. Nothing of it
# is visible on the machine's own network, and nothing stays behind, unless --keep leaves it running: then it says how
# to look around, and how to end it (--end NAME).
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
  echo "packaging/demo.sh: network namespaces need root: sudo packaging/demo.sh" >&2
  exit 1
fi

packaging/install-packages.sh haproxy iproute2 procps python3
case ${1-} in
  --end | --help | -h) ;;
  *)
    echo "building the release into build/release (some minutes the first time)"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! packaging/build.sh release > "$log" 2>&1; then
      tail -n 40 "$log" >&2
      exit 1
    fi
    rm -f "$log"
    trap - EXIT
    ;;
esac
VRRPD_BUILD=build/release exec /usr/bin/python3 -B packaging/demo.py "$@"
