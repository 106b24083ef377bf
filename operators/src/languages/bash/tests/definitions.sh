#!/usr/bin/env bash
# Keeps grain.
set -euo pipefail

# The most grains.
CAPACITY=64
readonly LIMIT=3

# Adds a grain.
# One at a time.
add_grain() {
  local name=$1
  echo "$name"
}

function shut {
  echo shut
}

if [ -n "$1" ]; then
  inner() { :; }
fi

add_grain rye
