#!/usr/bin/env bash
# Makes a web page of the articles in docs/diffprune.docc and of every public declaration: `documentation.sh BUILD`
# reads the modules of a build, as in `documentation.sh .build/release`, and writes .build-docs/. Any warning is an
# error.
#
# DocC is called by itself, since its package plugin would compile every module once more.
set -euo pipefail
cd "$(dirname "$0")/.."

build=$1
tool() { xcrun --find "$1" 2>/dev/null || command -v "$1"; }
extract=$(tool swift-symbolgraph-extract)
triple=$(swift -print-target-info | sed -n 's/^ *"triple": "\(.*\)",$/\1/p' | head -n 1)

# The C modules that Swift modules import: our own, those of packages and those of the system.
flags=(-target "$triple" -I "$build/Modules" -minimum-access-level public)
for map in "$build"/*.build/module.modulemap "${build%/*}"/checkouts/*/Sources/*/include/module.modulemap \
    Sources/*/module.modulemap; do
    [ -f "$map" ] && flags+=(-Xcc "-fmodule-map-file=$map")
done
for flag in $(pkg-config --cflags libcrypto libjpeg libpng); do flags+=(-Xcc "$flag"); done

rm -rf .build-docs
mkdir -p .build-docs/symbols
for folder in Sources/*/; do
    module=$(basename "$folder")
    # C targets and system libraries have no symbols in Swift, the program offers none.
    [ -f "$build/Modules/$module.swiftmodule" ] && [ "$module" != diffprune ] || continue
    "$extract" -module-name "$module" "${flags[@]}" -output-dir .build-docs/symbols
done

# Where one parameter is documented, all have to be.
"$(tool docc)" convert docs/diffprune.docc --additional-symbol-graph-dir .build-docs/symbols \
    --output-path .build-docs/site --fallback-display-name diffprune --fallback-bundle-identifier diffprune \
    --warnings-as-errors
