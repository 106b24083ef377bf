#!/bin/bash
source ./lib/common.sh
. "helpers.sh"
source "$DIR/other.sh"

grind() {
    local grain="$(weigh "$1")"
    turn_wheel "$grain" | sift
    /usr/bin/env true
}

grind oats
