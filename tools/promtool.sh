#!/bin/sh
# Check and test the Prometheus rules, and the metrics of a running gateway if a file with them is named.
# Usage: tools/promtool.sh [METRICS-FILE]
# promtool is taken from the PATH, or unpacked from Debian's package into .peers; no service is set up or started.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*" >&2; }

promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then
    promtool=.peers/prometheus/usr/bin/promtool
    if [ ! -x "$promtool" ]; then
        command -v apt-get >/dev/null || { say "Please install promtool (there is no apt-get here to fetch it)."; exit 1; }
        say "Fetching Debian's prometheus package and unpacking it below .peers, for promtool only …"
        rm -rf .peers/prometheus && mkdir -p .peers/prometheus/package
        fetch() { (cd .peers/prometheus/package && apt-get download prometheus >../fetch.log 2>&1); }
        fetch || { apt-get update >.peers/prometheus/update.log 2>&1 && fetch; } || {
            say "The package could not be fetched:"; cat .peers/prometheus/*.log >&2; exit 1
        }
        dpkg -x .peers/prometheus/package/prometheus_*.deb .peers/prometheus
        rm -rf .peers/prometheus/package
    fi
fi

"$promtool" check rules deploy/prometheus/rules.yml
"$promtool" test rules deploy/prometheus/rules.test.yml
if [ $# -gt 0 ]; then
    [ -s "$1" ] || { say "No metrics in $1."; exit 1; }
    "$promtool" check metrics <"$1"
    # Every metric that a rule reads must be one that the gateway shows.
    names=$(grep -oE 'lienthong_[a-z_]+' deploy/prometheus/rules.yml | grep -vE '_state: |^lienthong_$' | sort -u)
    missing=""
    for name in $names; do
        family=${name%_bucket}
        grep -qE "^# TYPE ${family%_total}(_total)? " "$1" || missing="$missing $name"
    done
    [ -z "$missing" ] || { say "Rules read metrics that the gateway does not show:$missing"; exit 1; }
    say "Every metric that a rule reads is shown by the gateway."
fi
