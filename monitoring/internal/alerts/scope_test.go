package alerts

import (
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/semconv"
)

// A rule that names what the registry does not have would be silent for ever; it can't be made.
func TestTemplatesRefuse(t *testing.T) {
	tests := []struct {
		reason, expr, want string
	}{
		{"a metric was renamed", `<< metric "video.processing.job" >>`,
			`the registry has no metric "video.processing.job"`},
		{"a label that the metric does not have", `<< metric "video.processing.jobs{stage='analysis'}" >>`,
			`video.processing.jobs has no label "stage"`},
		{"a value that the label never takes", `<< metric "video.processing.jobs{status='success'}" >>`,
			`status of video.processing.jobs is never "success"`},
		{"one of several values", `<< metric "video.processing.jobs{status=~'completed|done'}" >>`, `is never "done"`},
		{"a matcher that is none", `<< metric "video.processing.jobs{status}" >>`, `is no matcher`},
		{"a histogram without a suffix", `<< metric "video.processing.ratio" >>`, `is a histogram`},
		{"a suffix without a histogram", `<< buckets "video.processing.jobs" >>`, `is no histogram`},
		{"between two boundaries", `<< bucket "video.processing.ratio" 1.9 >>`, `1.9 is no boundary`},
		{"grouped by what no metric has", `sum by (job, api) (<< metric "video.processing.jobs" >>)`,
			`no metric of the rule has the label "api" of by (job, api)`},
		{"a number that settings.yml does not have", `<< .quantile >>`, `no entry for key "quantile"`},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			_, err := ruleSource{Alert: "HighAPICost", Expr: tt.expr}.rules(Default())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v, want %q", err, tt.want)
			}
		})
	}
}

func TestBucketTakesBothSpellings(t *testing.T) {
	for boundary, want := range map[float64]string{
		2:   `video_processing_ratio_bucket{le=~"2(\\.0)?"}`,
		10:  `video_processing_ratio_bucket{le=~"10(\\.0)?"}`,
		1.8: `video_processing_ratio_bucket{le="1.8"}`,
		0.5: `video_processing_ratio_bucket{le="0.5"}`,
	} {
		sc := &scope{}
		if got, err := sc.bucket(semconv.RatioName, boundary); err != nil || got != want {
			t.Errorf("%v is %s, %v, want %s", boundary, got, err, want)
		}
	}
}

func TestJobMatchers(t *testing.T) {
	for pattern, want := range map[string]string{
		"video-worker":  `job="video-worker"`,
		"editor|upload": `job="editor" job="upload"`,
		"video-.+":      `job=~"video-.+"`,
		"(a|b)":         `job=~"(a|b)"`,
		`a\d`:           `job=~"a\\d"`,
	} {
		if got := strings.Join(jobMatchers(pattern), " "); got != want {
			t.Errorf("%s gives %s, want %s", pattern, got, want)
		}
	}
}
