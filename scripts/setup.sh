#!/usr/bin/env bash
# Installs the system libraries that the build needs, where they are missing: OpenBLAS, libcrypto (OpenSSL),
# libjpeg-turbo, libpng and zlib with their headers, and pkg-config. On Debian and Ubuntu by apt-get; elsewhere it says
# what to install. Asks nothing.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf 'setup: %s\n' "$*" >&2; }

# Names of the Debian packages that are missing, one a line.
missing_packages() {
    if ! command -v pkg-config >/dev/null 2>&1; then
        # Without it nothing can be asked about the others, and installing what is there already does no harm.
        printf '%s\n' pkg-config libjpeg-dev libopenblas-dev libpng-dev libssl-dev zlib1g-dev
        return
    fi
    pkg-config --exists openblas || echo libopenblas-dev
    pkg-config --exists libjpeg || echo libjpeg-dev
    pkg-config --exists libpng || echo libpng-dev
    pkg-config --exists libcrypto || echo libssl-dev
    pkg-config --exists zlib || echo zlib1g-dev
}

if ! command -v swift >/dev/null 2>&1; then
    say "error: there is no 'swift' in PATH; install Swift 6.1 or later from https://www.swift.org/install"
    exit 1
fi

mapfile -t missing < <(missing_packages)
[ "${#missing[@]}" -gt 0 ] || exit 0

if ./install_packages.sh "${missing[@]}"; then
    mapfile -t missing < <(missing_packages)
    [ "${#missing[@]}" -gt 0 ] || exit 0
    say "apt-get installed them, but pkg-config does not find them"
fi
say "error: missing: ${missing[*]}"
say "install them (on Debian or Ubuntu: apt-get install ${missing[*]};"
say "elsewhere OpenBLAS, libcrypto, libjpeg-turbo, libpng, zlib with their headers, and pkg-config) and run this again"
exit 1
