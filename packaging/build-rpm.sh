#!/bin/bash
# build-rpm.sh [DIRECTORY]: builds the RPM package into DIRECTORY, by default build/rpm, from what git knows. On Debian it
# installs what that needs; elsewhere `dnf builddep packaging/rpm/vrrpd.spec` does.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${1:-build/rpm}"
output=$(realpath "${1:-build/rpm}")
options=()
if command -v apt-get > /dev/null; then
  packaging/install-packages.sh rpm g++ cmake git ninja-build pkg-config libboost-dev libcli11-dev libexpected-dev \
    libfmt-dev libnl-3-dev libpugixml-dev libsystemd-dev libxxhash-dev libyaml-cpp-dev nlohmann-json3-dev
  options+=(--nodeps)  # those packages have other names here
fi
if command -v ccache > /dev/null; then
  export HA_COMPILER_LAUNCHER=ccache
fi

version=$(sed -n 's/^project(vrrpd VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
tree=$output/tree
rm -rf "$tree"
mkdir -p "$tree/SOURCES"
git ls-files -z | tar -czf "$tree/SOURCES/vrrpd-$version.tar.gz" --null -T - --transform "s,^,vrrpd-$version/,"
rpmbuild -bb "${options[@]}" --define "_topdir $tree" --define "vrrpd_version $version" packaging/rpm/vrrpd.spec
mv "$tree"/RPMS/*/vrrpd-"$version"-*.rpm "$output/"
rm -rf "$tree"
echo "$output"/vrrpd-"$version"-*.rpm
