package alerts

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span in Prometheus's notation. A day has 24 hours, a week 7 days.
type Duration time.Duration

const day = 24 * time.Hour

// units are Prometheus's, the longest first. Years are left out: nobody alerts over one.
var units = []struct {
	name string
	span time.Duration
}{{"w", 7 * day}, {"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}}

var durationPattern = regexp.MustCompile(`^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$`)

// ParseDuration reads a duration such as 5m, 1h30m or 0s.
func ParseDuration(s string) (Duration, error) {
	parts := durationPattern.FindStringSubmatch(s)
	if s == "" || parts == nil {
		return 0, fmt.Errorf("%q is no duration, as in 30s, 5m, 1h30m, 2d", s)
	}
	var sum time.Duration
	for i, digits := range parts[1:] {
		if digits == "" {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil || time.Duration(n) > 1000*7*day/units[i].span {
			return 0, fmt.Errorf("%q is too long", s)
		}
		sum += time.Duration(n) * units[i].span
	}
	return Duration(sum), nil
}

// String is the shortest notation of d: 90m is 1h30m. Weeks are given in days, as people write 30d.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	rest := time.Duration(d)
	for _, u := range units[1:] {
		if n := rest / u.span; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			rest -= n * u.span
		}
	}
	return b.String()
}

// Seconds is d as PromQL compares it with timestamps.
func (d Duration) Seconds() string {
	return strconv.FormatFloat(time.Duration(d).Seconds(), 'f', -1, 64)
}
