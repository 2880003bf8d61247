#!/usr/bin/env bash
# Runs a command that builds, as in `without_warnings.sh swift test`, and fails if it fails or if the compiler warns
# about our own files.
#
# Dependencies may warn. Flags that turn warnings into errors would make the package unusable as a dependency, so the
# log is read instead. A file that is not compiled again does not warn again: what warned is touched, so that the next
# build says it once more.
set -euo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
"$@" 2>&1 | tee "$log" || status=$?

root=$(pwd -P)
# With or without the colours that a terminal would get.
warnings=$(sed 's/\x1b\[[0-9;]*m//g' "$log" |
    grep -E "^($root/)?(Sources|Tests|Package\.swift)[^:]*:[0-9]+:[0-9]+: warning:" | sort -u || true)
[ -n "$warnings" ] || exit "$status"
printf '\nerror: the compiler warns:\n%s\n' "$warnings" >&2
cut -d: -f1 <<<"$warnings" | sort -u | xargs -d '\n' touch
exit 1
