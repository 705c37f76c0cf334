#!/bin/sh
# servers.sh: builds the servers of the end-to-end tests into .cache/bin, pinned by the go.mod files under
# e2e/servers. When nothing changed, Go sees so in a second or two and writes nothing.
set -eu
cd "$(dirname "$0")/../e2e/servers"
bin=../../../.cache/bin/ # as seen from each module
GOWORK=off
export GOWORK

# Prometheus without its service discoveries (clouds, Kubernetes): a fraction of the code to build.
go build -C prometheus -buildvcs=false -tags remove_all_sd -o "$bin" tool ./mutants ./parse
go build -C collector -buildvcs=false -o "$bin" .
