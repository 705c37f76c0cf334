#!/usr/bin/env bash
# pictures.sh: takes the pictures of docs/images from real runs: the live page of the demo, light and dark, and what a
# Prometheus shows of `make stack`.
set -euo pipefail
cd "$(dirname "$0")/.."

go build -buildvcs=false -o .cache/bin/stack ./e2e/stack
GOWORK=off go build -C e2e/browser -buildvcs=false -o "$PWD/.cache/bin/pictures" ./pictures

work=$(mktemp -d)
demo=""
cleanup() {
	if [[ -n $demo ]]; then
		kill -TERM "$demo" 2>/dev/null || true
		wait "$demo" || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT

# The editor says where its page is.
set -m
scripts/demo.sh -jobs 8 -concurrency 3 -listen 127.0.0.1:0 -out "$work/reels" -db "$work/checkpoints.db" >"$work/log" 2>&1 &
demo=$!
set +m
url=""
while [[ -z $url ]]; do
	kill -0 "$demo" 2>/dev/null || {
		echo "pictures: the demo ended:" >&2
		tail -n 20 "$work/log" >&2
		exit 1
	}
	sleep 1
	url=$(sed -n 's,.*Live page: \(http://[^ ]*/\).*,\1,p' "$work/log" | head -n 1)
done
.cache/bin/pictures -url "$url" -out docs/images
kill -TERM "$demo"
wait "$demo" || true
demo=""

.cache/bin/stack -once -pictures docs/images
