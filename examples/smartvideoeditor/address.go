package main

import (
	"cmp"
	"log/slog"
	"net"
	"strings"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/exporters/livepage"
	"github.com/stagemeter/stagemeter/instrument"
)

// mount serves the live page beside the metrics, and returns a line with the addresses of both, or
// "" if nothing is served. An error does not stop the program.
func mount(tel *exporters.Telemetry, p *instrument.Pipeline, log *slog.Logger) string {
	addr := tel.Addr()
	if addr == nil {
		return ""
	}
	metrics := "metrics: " + urlOf(addr, "") + "metrics"
	if err := livepage.Mount(tel, p); err != nil {
		log.Error("live page", "error", err)
		return metrics
	}
	places := []string{"Live page: " + urlOf(addr, "")}
	if ip := networkAddress(); ip != "" && everywhere(addr) {
		places = append(places, "on a phone: "+urlOf(addr, ip))
	}
	return strings.Join(append(places, metrics), " · ")
}

// urlOf returns the URL of the server at addr. If addr has no host, it is the given one, or
// localhost for "".
func urlOf(addr net.Addr, host string) string {
	listens, port, _ := net.SplitHostPort(addr.String())
	if everywhere(addr) {
		listens = cmp.Or(host, "localhost")
	}
	return "http://" + net.JoinHostPort(listens, port) + "/"
}

// everywhere reports whether a server at addr can be reached from other machines by any address of
// this one.
func everywhere(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsUnspecified()
}

// networkAddress returns the address of this machine in the network that leads to others, or "" if
// there is none. It sends nothing: connecting a UDP socket only chooses the route.
func networkAddress() string {
	conn, err := net.Dial("udp4", "192.0.2.1:9") // TEST-NET-1, which no host uses
	if err != nil {
		return ""
	}
	defer conn.Close()
	if local, ok := conn.LocalAddr().(*net.UDPAddr); ok && local.IP.IsGlobalUnicast() {
		return local.IP.String()
	}
	return ""
}
