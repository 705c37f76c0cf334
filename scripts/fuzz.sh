#!/bin/sh
# fuzz.sh TIME: runs every fuzz target of the repository for TIME, one after the other.
#
# Each package is compiled once for all of its targets. Only our own packages are instrumented, as `go test -fuzz`
# instruments every package: coverage guides the fuzzer through the code that is tested, and the others come out of
# the build cache. Inputs that found new coverage are kept in .cache/fuzz, where the next run begins.
set -eu
time=${1:?usage: fuzz.sh TIME}
cd "$(dirname "$0")/.."
cache=$PWD/.cache/fuzz
mkdir -p "$cache"

find . -name '.?*' -prune -o -name '*_test.go' -print | xargs grep -l '^func Fuzz[A-Za-z0-9_]*(' |
	xargs -n 1 dirname | sort -u | while read -r dir; do
	program=$cache/$(printf '%s' "${dir#./}" | tr / _).test
	go test -c -vet=off -gcflags='github.com/stagemeter/stagemeter/...=-d=libfuzzer' -o "$program" "$dir" </dev/null
	targets=$("$program" -test.list '^Fuzz')
	[ -n "$targets" ] # those of another system's files would be missed
	printf '%s\n' "$targets" | while read -r target; do
		printf '%s %s\n' "$dir" "$target"
		if out=$(cd "$dir" && "$program" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$time" \
			-test.fuzzcachedir "$cache/$dir" </dev/null 2>&1); then
			printf '%s\n' "$out"
			continue
		fi
		printf '%s\n' "$out"
		case $out in
		*"Failing input written"* | *_test.go:* | *panic*) exit 1 ;;
		*"context deadline exceeded"*) ;; # the end of the time taken for a failure: https://go.dev/issue/75804
		*) exit 1 ;;
		esac
	done
done
