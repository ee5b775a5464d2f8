#!/bin/bash
# build-deb.sh [DIRECTORY]: builds the Debian packages vrrpd_VERSION_ARCHITECTURE.deb and vrrpd-keepalived_VERSION_all.deb
# into DIRECTORY, by default build/package, after installing what that needs. What was compiled before is not compiled again.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${1:-build/package}"
output=$(realpath "${1:-build/package}")

packaging/install-packages.sh --build build-essential debhelper dpkg-dev fakeroot git rsync
if command -v ccache > /dev/null; then
  export HA_COMPILER_LAUNCHER=ccache
fi

# Built in a copy, since debhelper wants its folder at the top and writes into it. Next to it remains what was compiled.
mkdir -p build/package
exec 9> build/.package.lock
flock 9
copy=build/package/source
version=$(sed -n 's/^project(vrrpd VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
mkdir -p "$copy"
git ls-files -z | rsync -a --from0 --files-from=- . "$copy/"
rm -rf "$copy/debian"
cp -r packaging/debian "$copy/debian"
{
  printf 'vrrpd (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n' "$version"
  printf ' -- vrrpd maintainers <maintainers@users.noreply.b-seed-750d6138.example>  %s\n' \
    "$(date -u -R -d "@$(git log -1 --format=%ct)")"
} > "$copy/debian/changelog"

cd "$copy"
# No clean: debhelper's own files came anew with its folder, and ninja knows what else is out of date.
DEB_BUILD_OPTIONS="parallel=$(nproc) noautodbgsym" dpkg-buildpackage -b -us -uc -nc 9>&-
for package in "../vrrpd_${version}_$(dpkg --print-architecture).deb" "../vrrpd-keepalived_${version}_all.deb"; do
  [ "$(realpath ..)" = "$output" ] || mv "$package" "$output/"
  echo "$output/$(basename "$package")"
done
rm -f ../vrrpd_"$version"_*.{buildinfo,changes}
