#!/usr/bin/env bash
# Checks that C files are as clang-format would write them; `c_format.sh --write` makes them so.
set -euo pipefail
cd "$(dirname "$0")/../.."

how=(--dry-run --Werror)
[ "${1:-}" = --write ] && how=(-i)
find Sources scripts Tests -name '*.[ch]' -print0 | xargs -0 .build-lint/tools/bin/clang-format "${how[@]}"
