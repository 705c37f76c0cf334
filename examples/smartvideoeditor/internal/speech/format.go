package speech

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// A format writes a transcript as one of the API's response formats.
type format struct {
	contentType string
	encode      func(Transcript) ([]byte, error)
}

var formats = map[string]format{
	"json":         {"application/json", encodeJSON},
	"verbose_json": {"application/json", encodeVerboseJSON},
	"text":         {"text/plain; charset=utf-8", encodeText},
	"srt":          {"text/plain; charset=utf-8", encodeSRT},
	"vtt":          {"text/plain; charset=utf-8", encodeVTT},
}

// usage is the billed length: in whole seconds, rounded up.
type usage struct {
	Type    string `json:"type"`
	Seconds int64  `json:"seconds"`
}

func usageOf(t Transcript) usage {
	return usage{Type: "duration", Seconds: int64(math.Ceil(t.Duration.Seconds()))}
}

func encodeJSON(t Transcript) ([]byte, error) {
	return json.Marshal(struct {
		Text  string `json:"text"`
		Usage usage  `json:"usage"`
	}{t.Text(), usageOf(t)})
}

// segment has the API's fields. Those that only a Whisper model could fill are zero.
type segment struct {
	ID               int     `json:"id"`
	Seek             int     `json:"seek"`
	Start            float64 `json:"start"`
	End              float64 `json:"end"`
	Text             string  `json:"text"`
	Tokens           []int   `json:"tokens"`
	Temperature      float64 `json:"temperature"`
	AvgLogprob       float64 `json:"avg_logprob"`
	CompressionRatio float64 `json:"compression_ratio"`
	NoSpeechProb     float64 `json:"no_speech_prob"`
}

func encodeVerboseJSON(t Transcript) ([]byte, error) {
	segments := make([]segment, len(t.Utterances))
	for i, u := range t.Utterances {
		segments[i] = segment{ID: i, Start: u.Start.Seconds(), End: u.End.Seconds(), Text: u.Text, Tokens: []int{}}
	}
	return json.Marshal(struct {
		Task     string    `json:"task"`
		Language string    `json:"language"`
		Duration float64   `json:"duration"`
		Text     string    `json:"text"`
		Segments []segment `json:"segments"`
		Usage    usage     `json:"usage"`
	}{"transcribe", "english", t.Duration.Seconds(), t.Text(), segments, usageOf(t)})
}

func encodeText(t Transcript) ([]byte, error) { return []byte(t.Text() + "\n"), nil }

func encodeSRT(t Transcript) ([]byte, error) {
	var b strings.Builder
	for i, u := range t.Utterances {
		fmt.Fprintf(&b, "%d\n%s --> %s\n%s\n\n", i+1, clock(u.Start, ','), clock(u.End, ','), u.Text)
	}
	return []byte(b.String()), nil
}

func encodeVTT(t Transcript) ([]byte, error) {
	var b strings.Builder
	b.WriteString("WEBVTT\n\n")
	for _, u := range t.Utterances {
		fmt.Fprintf(&b, "%s --> %s\n%s\n\n", clock(u.Start, '.'), clock(u.End, '.'), u.Text)
	}
	return []byte(b.String()), nil
}

// clock writes a time as subtitles do: hours, minutes, seconds and milliseconds.
func clock(d time.Duration, point rune) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d%c%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, point, ms%1000)
}
