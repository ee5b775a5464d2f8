#!/bin/bash
# build-rpm.sh [DIRECTORY [BUILT]]: builds the RPM package into DIRECTORY, by default build/rpm, from what git knows. On
# Debian it installs what that needs; elsewhere `dnf builddep packaging/rpm/vrrpd.spec` does. With BUILT, a directory that
# cmake has built this tree in, nothing is compiled again.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${1:-build/rpm}"
output=$(realpath "${1:-build/rpm}")
options=()
if command -v apt-get > /dev/null; then
  packaging/install-packages.sh --build git rpm
  options+=(--nodeps)  # those packages have other names here
fi
if command -v ccache > /dev/null; then
  export HA_COMPILER_LAUNCHER=ccache
fi

if [ -n "${2-}" ]; then
  options+=(--define "built $(realpath "$2")")
fi

version=$(sed -n 's/^project(vrrpd VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
tree=$output/tree
rm -rf "$tree"
mkdir -p "$tree/SOURCES"
git ls-files -z | tar -czf "$tree/SOURCES/vrrpd-$version.tar.gz" --null -T - --transform "s,^,vrrpd-$version/,"
rpmbuild -bb "${options[@]}" --define "_topdir $tree" --define "vrrpd_version $version" packaging/rpm/vrrpd.spec
for package in "$tree"/RPMS/*/vrrpd-"$version"-*.rpm; do
  mv "$package" "$output/"
  echo "$output/$(basename "$package")"
done
rm -rf "$tree"
