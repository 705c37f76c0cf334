// Package web serves metrics over HTTP: /metrics, /healthz, a landing page and handlers that the
// program adds, protected by a web config file of Prometheus's exporter-toolkit if there is one. Its
// connections are limited.
//
// It imports report, and no other room of package exporters: the handler of /metrics is a
// parameter.
package web
