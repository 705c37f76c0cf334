package alerts

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/stagemeter/stagemeter/semconv"
)

// boundaries has the histogram on which an alert's threshold has to be a boundary: between two of them the rule would
// see what the interpolation guesses, or nothing.
var boundaries = map[string]string{
	"HighProcessingRatio":               semconv.RatioName,
	"VideoProcessingLoudnessSpreadHigh": semconv.AudioLoudnessSpreadName,
	"VideoProcessingJobRatioBurn":       semconv.JobRatioName,
}

// shares are the alerts whose value is never above 1.
var shares = []string{
	"VideoProcessingAPIErrorRatioHigh",
	"VideoProcessingCollectorQueueFull",
	"VideoProcessingJobBudgetLow",
	"VideoProcessingJobErrorRatioHigh",
}

// validate finds the values that can be read but make rules that never fire, or always.
func (s Settings) validate() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(boundaries)) {
		threshold := s.alerts[name]["threshold"].(float64)
		m, err := findMetric(boundaries[name])
		if err != nil {
			return err
		}
		allowed := m.Buckets
		if _, quantile := s.alerts[name]["quantile"]; quantile { // which is never above the highest boundary
			allowed = allowed[:len(allowed)-1]
		}
		if !slices.Contains(allowed, threshold) {
			errs = append(errs, fmt.Errorf("alerts.%s.threshold: %v is no boundary of %s that can be exceeded; allowed: %v",
				name, threshold, m.Prometheus, allowed))
		}
	}
	for _, name := range shares {
		if threshold := s.alerts[name]["threshold"].(float64); threshold >= 1 {
			errs = append(errs, fmt.Errorf("alerts.%s.threshold: %v; allowed: a share below 1", name, threshold))
		}
	}
	errs = append(errs, s.validateBurnRates()...)
	burn := s.alerts["VideoProcessingCostBurn"]
	if burn["short"].(Duration) >= burn["window"].(Duration) {
		errs = append(errs, fmt.Errorf("alerts.VideoProcessingCostBurn.short: %s; allowed: below window, which is %s",
			burn["short"], burn["window"]))
	}
	return errors.Join(errs...)
}

func (s Settings) validateBurnRates() []error {
	var errs []error
	longs := map[Duration]string{}
	for _, name := range slices.Sorted(maps.Keys(s.burnRates)) {
		rate := s.burnRates[name]
		long, short, factor := rate["long"].(Duration), rate["short"].(Duration), rate["factor"].(float64)
		if short >= long {
			errs = append(errs, fmt.Errorf("burn_rates.%s.short: %s; allowed: below long, which is %s", name, short, long))
		}
		if long >= s.all["period"].(Duration) {
			errs = append(errs, fmt.Errorf("burn_rates.%s.long: %s; allowed: below period, which is %s",
				name, long, s.all["period"]))
		}
		if other, taken := longs[long]; taken {
			errs = append(errs, fmt.Errorf("burn_rates.%s.long: %s, as in %s; allowed: each long window once",
				name, long, other))
		}
		longs[long] = name
		for _, alert := range []string{"VideoProcessingJobSuccessBurn", "VideoProcessingJobRatioBurn"} {
			if objective := s.alerts[alert]["objective"].(float64); factor*(1-objective) >= 1 {
				errs = append(errs, fmt.Errorf(
					"alerts.%s.objective: %v; with burn_rates.%s.factor %v it never fires; allowed: above %.4g, or a lower factor",
					alert, objective, name, factor, 1-1/factor))
			}
		}
	}
	return errs
}
