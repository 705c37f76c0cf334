package alerts

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// foreign are the labels that rules may use besides those of the registry: Prometheus's own, and those of the metrics
// that the collector and Prometheus have of themselves.
var foreign = []string{"job", "instance", "le", "exporter", "receiver", "rule_group"}

var groupingPattern = regexp.MustCompile(`\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)`)

// checkGrouping finds a label in by (…) or on (…) that not one of the used metrics has: it would be empty
// everywhere, and the rule would mix what it means to keep apart.
func checkGrouping(expr string, used []registry.Metric) error {
	for _, match := range groupingPattern.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(match[1], ",") {
			label = strings.TrimSpace(label)
			if label == "" || slices.Contains(foreign, label) {
				continue
			}
			if !slices.ContainsFunc(used, func(m registry.Metric) bool {
				return slices.ContainsFunc(m.Attributes, func(a registry.Attribute) bool { return a.Label == label })
			}) {
				return fmt.Errorf("no metric of the rule has the label %q of %s", label, match[0])
			}
		}
	}
	return nil
}
