#!/usr/bin/env bash
# No line of code is longer than 120 columns: swift-format breaks neither string literals nor comments, ruff is not
# asked to, and C and shell have no formatter here.
set -euo pipefail
cd "$(dirname "$0")/../.."

code=('*.swift' '*.c' '*.h' '*.py' '*.sh' .ci/run)
code+=(':!*.c' ':!*.h') # C is still to be broken.
files=$(git ls-files --cached --others --exclude-standard -- "${code[@]}")
# A column is a character, not a byte.
if found=$(xargs -d '\n' env LC_ALL=C.UTF-8 grep -nHE '^.{121}' <<<"$files"); then
    printf '%s\n' "$found" | sed -E 's/^([^:]*:[0-9]+):.*/\1: longer than 120 columns/'
    exit 1
fi
