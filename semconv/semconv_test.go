package semconv_test

import (
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/semconv"
)

func TestAttr(t *testing.T) {
	for _, tt := range []struct {
		have, want attribute.KeyValue
	}{
		{semconv.JobStatusCanceled.Attr(), attribute.String("status", "canceled")},
		{semconv.CallStatusRefused.Attr(), attribute.String("status", "refused")},
		{semconv.PhaseBefore.Attr(), attribute.String("phase", "before")},
		{semconv.InvalidReasonNaN.Attr(), attribute.String("reason", "nan")},
		{semconv.AttrErrorType.String("timeout"), attribute.String("error.type", "timeout")},
	} {
		if tt.have != tt.want {
			t.Errorf("%v, want %v", tt.have, tt.want)
		}
	}
}

// A caller that sorts, cuts or fills what it got does not change what the next one gets.
func TestCallersOwnWhatTheyGet(t *testing.T) {
	before := fmt.Sprint(semconv.JobStatusValues())
	clear(semconv.JobStatusValues())
	if after := fmt.Sprint(semconv.JobStatusValues()); after != before {
		t.Errorf("before %s, after %s", before, after)
	}
}
