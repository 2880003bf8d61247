#!/usr/bin/env bash
# Installs Debian packages without asking, as in `install_packages.sh libpng-dev zlib1g-dev`; fails with the reason
# where that cannot be done: no apt-get, no way to become root, or no package.
set -euo pipefail

say() { printf 'setup: %s\n' "$*" >&2; }

if ! command -v apt-get >/dev/null 2>&1; then
    say "there is no apt-get here to install $* with"
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root=(sudo)
else
    say "installing $* needs root, and sudo is missing or would ask for a password"
    exit 1
fi

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2
}

say "installing $*"
# Package lists are refreshed only when the ones at hand do not do.
install "$@" && exit 0
say "refreshing the package lists"
"${as_root[@]}" apt-get update >&2 && install "$@" && exit 0
say "apt-get could not install $*"
exit 1
