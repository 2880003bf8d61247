#!/usr/bin/env bash
# What is general stays general: these targets name no kind of model, sample or task.
set -euo pipefail
cd "$(dirname "$0")/../.."

general=(Sources/Files Sources/WeightFiles Sources/Training Sources/Pruning)
words='\b(u-?net|images?|pictures?|pixels?|timesteps?|diffusion)\b'
if found=$(grep -rniE --include='*.swift' "$words" "${general[@]}"); then
    printf '%s\n' "$found" | sed 's/$/   (a general target names what it should not know)/'
    exit 1
fi
