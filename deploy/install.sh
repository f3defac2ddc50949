#!/bin/sh
# Installs Debian packages as root; as anybody else says what to ask for, and fails.
#
#   deploy/install.sh PACKAGE...
set -eu

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing: sudo apt install $*" >&2
    exit 1
fi
echo "installing $* ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! apt-get install -y -qq --no-install-recommends "$@" >"$log" 2>&1 </dev/null; then
    # The lists of packages may be old, or not there yet.
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null || {
        cat "$log" >&2
        exit 1
    }
fi
