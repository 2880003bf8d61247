#!/usr/bin/env bash
# No line of code is longer than 120 columns: swift-format and clang-format leave string literals as they are, the one
# comments too, ruff is not asked to, and shell has no formatter here.
set -euo pipefail
cd "$(dirname "$0")/../.."

code=('*.swift' '*.c' '*.h' '*.py' '*.sh' .ci/run)
files=$(git ls-files --cached --others --exclude-standard -- "${code[@]}")
# A column is a character, not a byte.
if found=$(xargs -d '\n' env LC_ALL=C.UTF-8 grep -nHE '^.{121}' <<<"$files"); then
    printf '%s\n' "$found" | sed -E 's/^([^:]*:[0-9]+):.*/\1: longer than 120 columns/'
    exit 1
fi
