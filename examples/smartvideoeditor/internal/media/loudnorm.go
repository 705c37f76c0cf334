package media

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The targets of the whole programme, in the terms of EBU R 128.
const (
	targetPeak  = -1.5 // dBTP
	targetRange = 11.0 // LU
)

// A Loudnorm is the report of ffmpeg's loudnorm filter about a first pass.
type Loudnorm struct {
	Integrated, Peak, Range, Threshold, Offset float64

	// Type is the kind of gain: "linear", one for the whole, or "dynamic", one that follows the
	// sound.
	Type string
}

// LoudnormFilter is the first pass: it measures.
func LoudnormFilter() string {
	return fmt.Sprintf("loudnorm=I=%g:TP=%g:LRA=%g:print_format=json", float64(Target), targetPeak, targetRange)
}

// Filter is the second pass: one gain for the whole, taken from the first pass.
func (l Loudnorm) Filter() string {
	return fmt.Sprintf("%s:linear=true:measured_I=%g:measured_TP=%g:measured_LRA=%g:measured_thresh=%g:offset=%g",
		LoudnormFilter(), l.Integrated, l.Peak, l.Range, l.Threshold, l.Offset)
}

// Linear reports whether the second pass needs only one gain. If it needs more, loudnorm silently
// uses a gain that follows the sound, which would undo the normalization of the segments. It also
// treats some zeros as "not given".
func (l Loudnorm) Linear() bool {
	given := l.Range != 0 && l.Integrated != 0 && l.Threshold > float64(Silence)
	return given && l.Range <= targetRange && l.Peak+float64(Target)-l.Integrated <= targetPeak
}

// ErrSilent is returned for a sound that loudnorm found nothing to measure in.
var ErrSilent = errors.New("nothing to hear")

// ReadLoudnorm returns loudnorm's report in the standard error of ffmpeg. All its numbers are
// strings, and those of a silent or very short sound are "-inf" and "inf": that is ErrSilent.
func ReadLoudnorm(stderr string) (Loudnorm, error) {
	start, end := strings.LastIndex(stderr, "{"), strings.LastIndex(stderr, "}")
	if start < 0 || end < start {
		return Loudnorm{}, errors.New("ffmpeg printed no report of its loudnorm filter")
	}
	var report struct {
		Integrated string `json:"input_i"`
		Peak       string `json:"input_tp"`
		Range      string `json:"input_lra"`
		Threshold  string `json:"input_thresh"`
		Offset     string `json:"target_offset"`
		Type       string `json:"normalization_type"`
	}
	if err := json.Unmarshal([]byte(stderr[start:end+1]), &report); err != nil {
		return Loudnorm{}, fmt.Errorf("ffmpeg's loudnorm report: %w", err)
	}
	l := Loudnorm{Type: report.Type}
	for _, field := range []struct {
		text string
		into *float64
	}{
		{report.Integrated, &l.Integrated},
		{report.Peak, &l.Peak},
		{report.Range, &l.Range},
		{report.Threshold, &l.Threshold},
		{report.Offset, &l.Offset},
	} {
		value, ok := finite(field.text)
		if !ok {
			return Loudnorm{}, ErrSilent
		}
		*field.into = value
	}
	return l, nil
}
