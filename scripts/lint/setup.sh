#!/usr/bin/env bash
# Installs the linters of requirements.txt from PyPI into .build-lint/tools, where they are not there already, and
# Python with its venv module from Debian where that is missing. Fails with the reason where neither can be had. Asks
# nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=.build-lint/tools
wanted=scripts/lint/requirements.txt
cmp --quiet "$wanted" "$tools/installed.txt" && exit 0

make_environment() { rm -rf "$tools" && python3 -m venv "$tools" >&2; }

say() { printf 'lint: %s\n' "$*" >&2; }
make_environment || { scripts/install_packages.sh python3-venv && make_environment; } || {
    say "Python 3 with its venv module is missing (on Debian or Ubuntu: apt-get install python3-venv)"
    exit 1
}
say "installing $(grep -v '^#' "$wanted" | paste -s -d' ') into $tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: -r "$wanted" >&2 || {
    say "PyPI did not provide the linters"
    exit 1
}
# Last, so that what was interrupted is done again.
cp "$wanted" "$tools/installed.txt"
