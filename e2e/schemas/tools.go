//go:build tools

package schemas

// The go.mod file pins and go.sum verifies the module of the operator, of which crd_test.go reads files.
import _ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
