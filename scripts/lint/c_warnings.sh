#!/usr/bin/env bash
# Compiles every C file for its warnings alone, among them those that the build cannot be made to give: in Package.swift
# they would take unsafeFlags, which would keep the package from being a dependency. Installs what headers are missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/setup.sh
# The compiler of the build: where its libraries are is known even if `swift` in PATH is a front for several of them.
toolchain=$(swift -print-target-info | sed -n 's|.*"runtimeResourcePath": "\(.*\)/lib/swift".*|\1|p')
options=(-fsyntax-only -Wall -Wextra -Wshadow -Werror)
failed=0
while read -r file; do
    "$toolchain/bin/clang" "${options[@]}" -I "$(dirname "$file")/include" "$file" || failed=1
done < <(find Sources scripts -name '*.c')
exit "$failed"
