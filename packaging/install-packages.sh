#!/bin/sh
# install-packages.sh [--build] PACKAGE...: installs those of the Debian packages that are missing; says nothing if none is.
# With --build also what compiling needs, which is what debian/control names.
#
# Services that come with them (keepalived, haproxy, frr, prometheus) are neither started nor enabled: they would take addresses and
# ports of this machine. One that was installed before is not touched.
set -eu

if [ "$1" = --build ]; then
  shift
  control=$(dirname "$0")/debian/control
  # shellcheck disable=SC2046  # words, not one argument
  set -- g++ $(sed -n '/^Build-Depends:/,/^[^ ]/{/debhelper/!s/^ \([a-z0-9.+-]*\).*/\1/p}' "$control") "$@"
fi

# Sets `missing` to those of the packages that are not there, in one line.
find_missing() {
  missing=
  for package in "$@"; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
      *" installed") ;;
      *) missing="$missing $package" ;;
    esac
  done
}

find_missing "$@"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "$0: these packages are missing, and installing them needs root:$missing" >&2
  exit 1
fi

# One at a time: what follows changes a file of the whole machine for a moment.
exec 9>/run/lock/vrrpd-install-packages
flock 9
find_missing "$@"
[ -n "$missing" ] || exit 0

# invoke-rc.d and deb-systemd-invoke ask this program whether they may start a service; 101 is no. Where there is one
# already, as in container images, its owner's word stands.
policy=/usr/sbin/policy-rc.d
remove_policy() { [ -z "${made_policy-}" ] || rm -f "$policy"; }
trap remove_policy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ ! -e "$policy" ]; then
  made_policy=yes
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
fi

echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" 9>&-; }
log=$(mktemp)
# shellcheck disable=SC2086  # words, not one argument
if ! { apt update && apt install --no-install-recommends $missing; } > "$log" 2>&1; then
  tail -n 40 "$log" >&2
  rm -f "$log"
  echo "$0: apt-get failed; its last words are above" >&2
  exit 1
fi
rm -f "$log"

# Not at the next boot either.
if [ -d /run/systemd/system ]; then
  for service in keepalived haproxy frr prometheus; do
    case "$missing " in
      *" $service "*) systemctl disable --quiet --now "$service.service" || true ;;
    esac
  done
fi
