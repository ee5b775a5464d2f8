#!/bin/bash
# build.sh PRESET [cmake arguments]: configures and builds one preset of CMakePresets.json into build/PRESET, after
# installing what that needs. Two runs in one clone wait for each other.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift

packages=()
case $preset in
  dev | asan) packages+=(catch2 librapidcheck-dev) ;;
esac
packaging/install-packages.sh --build "${packages[@]}"

if command -v ccache > /dev/null; then
  export HA_COMPILER_LAUNCHER=ccache
fi
mkdir -p build
exec 9> "build/.$preset.lock"
flock 9
# The lock is not for the children: one that outlives a killed build would hold it.
cmake --preset "$preset" "$@" 9>&-
ninja -C "build/$preset" -j "$(nproc)" 9>&-
