#!/usr/bin/env bash
# demo.sh [flag ...] [video ...]: runs the smart video editor with a Redis of its own, which ends with it.
# What is given here comes after the demo's own flags, and wins. Each run has a folder of its own: in one where
# its jobs are done the editor would not do them again. With nothing given it edits its own clip several times,
# so that there is time to look at the series of a job, which end with it. The runs share a database, in which
# each finds how long the stages of earlier ones took.
set -euo pipefail
cd "$(dirname "$0")/.."

editor=.cache/bin/smartvideoeditor
[[ -x $editor ]] || echo "building the editor; the first time takes a few minutes"
go build -buildvcs=false -o "$editor" ./examples/smartvideoeditor

work=$(mktemp -d)
redis="" demo=""
cleanup() {
	if [[ -n $redis ]]; then
		kill "$redis" 2>/dev/null || true
		wait "$redis" || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT

# Each in a process group of its own: Ctrl-C then ends the editor, and after it Redis.
set -m

# A free port is one on which the Redis that answers is ours, by its process id.
for _ in {1..20}; do
	port=$((20000 + RANDOM % 12000))
	redis-server --bind 127.0.0.1 --port $port --dir "$work" --save '' --appendonly no >"$work/redis.log" 2>&1 &
	redis=$!
	for _ in {1..50}; do
		if redis-cli -p $port info server 2>/dev/null | tr -d '\r' | grep -qx "process_id:$redis"; then break 2; fi
		kill -0 $redis 2>/dev/null || break
		sleep 0.1
	done
	kill $redis 2>/dev/null || true
	redis=""
done
if [[ -z $redis ]]; then
	echo "demo: Redis did not start; its last words:" >&2
	tail -n 5 "$work/redis.log" >&2
	exit 1
fi

(($#)) || set -- -jobs 5
trap '[[ -z $demo ]] || kill -INT "$demo" 2>/dev/null' INT
trap '[[ -z $demo ]] || kill -TERM "$demo" 2>/dev/null' TERM HUP
mkdir -p smartvideoeditor-out # of the database, also if the reels go elsewhere
"$editor" -redis "redis://127.0.0.1:$port" -out "smartvideoeditor-out/$(date +%Y%m%d-%H%M%S)" \
	-db smartvideoeditor-out/checkpoints.db -hold 10m "$@" </dev/null &
demo=$!
set +m # with job control wait would not wait for an editor that is stopped
while kill -0 "$demo" 2>/dev/null; do wait "$demo" || true; done
wait "$demo"
