package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// addresses are where the parts listen: "localhost:PORT".
type addresses struct {
	metrics, prometheus, otlp, otlpHTTP, collectorOut, collectorOwn, health, redis string
}

// documented are the addresses that the configuration files name. Redis has none, and takes a free one.
var documented = addresses{
	metrics: "localhost:9099", prometheus: "localhost:9090", otlp: "localhost:4317", otlpHTTP: "localhost:4318",
	collectorOut: "localhost:8889", collectorOwn: "localhost:8888", health: "localhost:13133",
}

// named are the addresses with who listens there.
func (a *addresses) named() map[string]*string {
	return map[string]*string{
		"the editor's metrics": &a.metrics, "Prometheus": &a.prometheus,
		"the collector's OTLP by gRPC": &a.otlp, "the collector's OTLP by HTTP": &a.otlpHTTP,
		"the collector's page for Prometheus": &a.collectorOut, "the collector's own metrics": &a.collectorOwn,
		"the collector's health": &a.health,
	}
}

// takeAddresses makes sure that nothing listens where the parts are going to. The error names every port that is taken.
func takeAddresses(free bool) (addresses, error) {
	var held []net.Listener // until all are taken: else one port may be given twice
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	vacant := func(addr string) (string, error) {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return addr, err
		}
		held = append(held, l)
		_, port, err := net.SplitHostPort(l.Addr().String())
		return net.JoinHostPort("localhost", port), err
	}
	at := documented
	var taken error
	for who, addr := range at.named() {
		if free {
			*addr = "localhost:0"
		}
		var err error
		if *addr, err = vacant(*addr); err != nil {
			taken = errors.Join(taken, fmt.Errorf("%s can't have its port, is another stack or demo running? %w", who, err))
		}
	}
	var err error
	at.redis, err = vacant("localhost:0")
	return at, errors.Join(taken, err)
}

// files are the configuration files that the servers are started with.
type files struct{ prometheus, collector string }

// files are those of docs, as they are; or copies of them: on free ports with these, and often with a scrape each
// second.
func (a *addresses) files(work string, free, often bool) (files, error) {
	docs, err := filepath.Abs("docs")
	if err != nil {
		return files{}, err
	}
	own := files{filepath.Join(docs, "prometheus", "scrape.yml"), filepath.Join(docs, "collector", "collector.yml")}
	if !free && !often {
		return own, nil
	}
	// Beside each other as in docs, so that relative paths lead to the alerts.
	copies := files{filepath.Join(work, "prometheus", "scrape.yml"), filepath.Join(work, "collector", "collector.yml")}
	for from, to := range map[string]string{own.prometheus: copies.prometheus, own.collector: copies.collector} {
		text, err := os.ReadFile(from)
		if err != nil {
			return files{}, err
		}
		if often && from == own.prometheus {
			if !scrapeInterval.Match(text) {
				return files{}, fmt.Errorf("%s sets no scrape_interval", from)
			}
			text = scrapeInterval.ReplaceAll(text, fmt.Appendf(nil, "${1}%v", shortestStep))
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return files{}, err
		}
		if err := os.WriteFile(to, a.in(text), 0o600); err != nil {
			return files{}, err
		}
	}
	return copies, os.Symlink(filepath.Join(docs, "alerts"), filepath.Join(work, "alerts"))
}

var scrapeInterval = regexp.MustCompile(`(?m)^( *scrape_interval: ).+$`)

var number = regexp.MustCompile(`\b\d{4,5}\b`)

// in is a configuration with each documented port replaced by the one that is taken.
func (a *addresses) in(text []byte) []byte {
	ports := map[string]string{}
	was := documented
	for who, addr := range a.named() {
		_, from, _ := net.SplitHostPort(*was.named()[who])
		_, ports[from], _ = net.SplitHostPort(*addr)
	}
	return number.ReplaceAllFunc(text, func(found []byte) []byte {
		if port, ok := ports[string(found)]; ok {
			return []byte(port)
		}
		return found
	})
}

// port is the port of an address of takeAddresses.
func port(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if _, numeric := strconv.Atoi(port); err != nil || numeric != nil {
		return ""
	}
	return port
}
