// Package kubernetes takes the place of Prometheus's service discovery for Kubernetes in promtool.
//
// Promtool imports that package for one type, and with it the clients of the whole Kubernetes API: a third of all the
// code that has to be compiled. No configuration in this repository discovers targets in Kubernetes; promtool refuses
// one that does, as it refuses every service discovery that the build tag remove_all_sd leaves out.
package kubernetes

import (
	"github.com/prometheus/common/config"
	"github.com/prometheus/prometheus/discovery"
)

// SDConfig has what promtool reads. It is not registered, so that no configuration has one.
type SDConfig struct {
	discovery.Config
	HTTPClientConfig config.HTTPClientConfig
}
