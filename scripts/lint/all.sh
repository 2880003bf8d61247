#!/usr/bin/env bash
# Runs every check and names those that fail. Where the linters can be installed by no means, what needs them is left
# out with a message; `all.sh required` fails then.
set -euo pipefail
cd "$(dirname "$0")/../.."

failed=()
check() {
    local name=$1
    shift
    "$@" || failed+=("$name")
}

check "rooms" scripts/lint/rooms.sh
check "columns" scripts/lint/columns.sh
check "Swift format" swift format lint --strict --recursive --parallel Package.swift Sources Tests Samples/swift
check "warnings of C" scripts/lint/c_warnings.sh
if scripts/lint/setup.sh; then
    tools=.build-lint/tools/bin
    check "imports" "$tools/python" scripts/lint/imports.py
    check "maps in the docs" "$tools/python" scripts/lint/tree.py
    check "Python" "$tools/ruff" check --quiet
    check "C format" scripts/lint/c_format.sh
elif [ "${1:-}" = required ]; then
    failed+=("setup")
else
    printf 'lint: imports, maps, Python and the format of C are not checked\n' >&2
fi

[ "${#failed[@]}" -eq 0 ] && exit
printf 'lint: failed: %s\n' "$(IFS=, && echo "${failed[*]}")" >&2
exit 1
