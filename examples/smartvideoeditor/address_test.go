package main

import (
	"net"
	"testing"
)

func TestURLs(t *testing.T) {
	for listens, want := range map[string][2]string{ // for a browser here, and elsewhere
		"0.0.0.0":   {"http://localhost:9099/", "http://192.0.2.7:9099/"},
		"::":        {"http://localhost:9099/", "http://192.0.2.7:9099/"},
		"127.0.0.1": {"http://127.0.0.1:9099/", "http://127.0.0.1:9099/"},
		"::1":       {"http://[::1]:9099/", "http://[::1]:9099/"},
		"10.0.0.3":  {"http://10.0.0.3:9099/", "http://10.0.0.3:9099/"},
	} {
		addr := &net.TCPAddr{IP: net.ParseIP(listens), Port: 9099}
		if got := [2]string{urlOf(addr, ""), urlOf(addr, "192.0.2.7")}; got != want {
			t.Errorf("%s: %v, want %v", listens, got, want)
		}
		if got := everywhere(addr); got != (listens == "0.0.0.0" || listens == "::") {
			t.Errorf("%s: others reach it: %v", listens, got)
		}
	}
}
