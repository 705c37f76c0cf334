#!/usr/bin/env bash
# test.sh: runs every check of the repository in two lanes at the same time, and prints the time and the processor time
# that each step took.
#
# One lane compiles and tests the code, the other builds the servers and tests against them: while one compiles a
# package on which all others wait, or waits for a scrape, the other has the processor. A step is a target of the
# Makefile; its output appears as a whole when it ends. After a step that failed, no other one begins.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
began=$(date +%s)
lanes=()
trap 'rm -rf "$work"' EXIT
# Each lane is a process group of its own, and ends with this script.
set -m
stop() {
	for lane in "${lanes[@]}"; do kill -TERM -- "-$lane" 2>/dev/null || true; done
	exit 130
}
trap stop INT TERM HUP

# lane STEP ...: runs steps one after the other, but for those that the other lane has begun.
lane() {
	local step from status took user system TIMEFORMAT='%0U %0S'
	for step; do
		if [[ -e $work/failed ]]; then return; fi
		mkdir "$work/$step.begun" 2>/dev/null || continue
		from=$(date +%s)
		printf '==> %s begins after %d s\n' "$step" $((from - began))
		status=passed
		{ time make --no-print-directory "$step" >"$work/$step" 2>&1 </dev/null; } 2>"$work/$step.times" || status=FAILED
		read -r user system <"$work/$step.times"
		took=$(($(date +%s) - from))
		printf '%5d s %5d s of a processor  %s\n' "$took" $((user + system)) "$step" >>"$work/table"
		if [[ $status = FAILED ]]; then touch "$work/failed"; fi
		cat "$work/$step"
		printf '==> %s %s in %d s\n\n' "$step" $status $took
	done
}

make --no-print-directory deps
# The last steps of each are those of the other in reverse: no lane is idle while the other has more than one to do.
lane check-generated lint unit fuzz sdks lint-apart &
lanes+=($!)
lane servers schemas page browser e2e lint-apart sdks fuzz &
lanes+=($!)
for lane in "${lanes[@]}"; do wait "$lane" || touch "$work/failed"; done

sort -rn "$work/table"
printf '%5d s %5d s of a processor  in all\n' $(($(date +%s) - began)) "$(awk '{ sum += $3 } END { print sum }' "$work/table")"
if [[ -e $work/failed ]]; then
	echo "FAILED"
	exit 1
fi
echo "all passed"
