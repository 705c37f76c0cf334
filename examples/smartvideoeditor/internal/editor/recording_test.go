package editor

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

func span(start, end time.Duration) media.Span { return media.Span{Start: start, End: end} }

func TestParts(t *testing.T) {
	const s, ms, min = time.Second, time.Millisecond, time.Minute
	for _, test := range []struct {
		reason       string
		sounds, want []media.Span
	}{
		{"without sound nothing is sent", nil, nil},
		{"nothing has no length", []media.Span{span(s, s)}, nil},
		{"the sound begins late and ends early", []media.Span{span(9*s, 13*s)}, []media.Span{span(9*s, 13*s)}},
		{"ten minutes are one part", []media.Span{span(0, 10*min)}, []media.Span{span(0, 10*min)}},
		{"chunks of ten minutes", []media.Span{span(s, 25*min)},
			[]media.Span{span(s, 10*min+s), span(10*min+s, 20*min+s), span(20*min+s, 25*min)}},
		{"a rest that the service does not take belongs to the chunk before it", []media.Span{span(0, 20*min+50*ms)},
			[]media.Span{span(0, 10*min), span(10*min, 20*min+50*ms)}},
		{"a rest that the service takes does not", []media.Span{span(0, 20*min+100*ms)},
			[]media.Span{span(0, 10*min), span(10*min, 20*min), span(20*min, 20*min+100*ms)}},
		{"a long gap is not sent", []media.Span{span(0, 2*s), span(12*min, 13*min)}, []media.Span{span(0, 2*s), span(12*min, 13*min)}},
		{"a sound that is short by itself stays", []media.Span{span(0, 20*ms)}, []media.Span{span(0, 20*ms)}},
	} {
		if got := parts(test.sounds); !slices.Equal(got, test.want) {
			t.Errorf("%s: parts of %v are %v, want %v", test.reason, test.sounds, got, test.want)
		}
	}
}

// samples makes the sound of a job, as validation leaves it, from the functions of time of its two
// channels.
func samples(length time.Duration, left, right func(seconds float64) float64) []byte {
	data := make([]byte, 0, bytesOf(length))
	for i := range cap(data) / media.SampleBytes {
		for _, at := range []func(float64) float64{left, right} {
			v := math.Round(math.MaxInt16 * at(float64(i)/media.SampleRate))
			data = binary.LittleEndian.AppendUint16(data, uint16(int16(v)))
		}
	}
	return data
}

// Functions of time for samples.
func silence(float64) float64      { return 0 }
func voltage(float64) float64      { return 0.2 }
func tone(t float64) float64       { return 0.5 * math.Sin(2000*t) }
func lowVoice(t float64) float64   { return 0.003 * math.Sin(600*t) }
func oppositeOf(t float64) float64 { return -tone(t) }
func noise(float64) float64        { return 2*rand.Float64() - 1 }
func lastBit(float64) float64      { return 0.0002 * (rand.Float64() - 0.5) }

// What is sent is as long as it says, 16 bits deep, and told from silence by what can be heard.
func TestRecord(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		name        string
		lasts       time.Duration
		left, right func(float64) float64
		part        media.Span
		want        time.Duration
		silent      bool
	}{
		{"a tone", 3 * s, tone, tone, span(s/2, 2*s), 3 * s / 2, false},
		{"a part that ends behind the sound", 3 * s, tone, tone, span(s, 60*s), 2 * s, false},
		{"a part behind the sound", s, tone, tone, span(9*s, 10*s), s / 10, true},
		{"a click that is padded", s / 20, tone, tone, span(0, s), s / 10, false},
		{"silence", s, silence, silence, span(0, s), s, true},
		{"a constant voltage", s, voltage, voltage, span(0, s), s, true},
		{"the last bit of a sound card", s, lastBit, lastBit, span(0, s), s, true},
		{"a low voice in one channel", s, lowVoice, silence, span(0, s), s, false},
		{"channels in opposite phase", s, tone, oppositeOf, span(0, s), s, false},
		{"noise", 5 * s, noise, noise, span(0, 5*s), 5 * s, false},
	} {
		r := &run{Editor: &Editor{State: t.TempDir()}, task: Task{ID: "job"}}
		if err := errors.Join(os.MkdirAll(r.workspace("job"), 0o755), os.WriteFile(r.soundFile(), samples(test.lasts, test.left, test.right), 0o600)); err != nil {
			t.Fatal(err)
		}
		got, err := r.record(t.Context(), test.part, ffmpeg.WithShare(0, 1))
		if err != nil || got.silent() != test.silent || got.length() != test.want && !test.silent {
			t.Errorf("%s: %v long, silent %v, %v, want %v and %v", test.name, got.length(), got.silent(), err, test.want, test.silent)
			continue
		}
		if test.silent {
			continue
		}
		stat, err := os.Stat(got.path)
		if most := int64(test.want.Seconds()*sampleRate*2) + 16<<10; err != nil || stat.Size() > most {
			t.Errorf("%s: %d bytes, %v, want at most %d: ten minutes of anything must fit the service", test.name, stat.Size(), err, most)
		}
	}
}

// The meter takes pieces of any length.
func TestMeter(t *testing.T) {
	samples := make([]byte, 0, 4*block)
	for i := range 2 * block {
		v := int16(i%200) - 100
		samples = append(samples, byte(v), byte(v>>8))
	}
	var whole meter
	_, _ = whole.Write(samples) // never fails
	for _, size := range []int{1, 3, 7, 1000} {
		var m meter
		for piece := range slices.Chunk(samples, size) {
			if n, err := m.Write(piece); n != len(piece) || err != nil {
				t.Fatalf("got %d, %v", n, err)
			}
		}
		if m.swing != 199 || m.swing != whole.swing || m.length() != 200*time.Millisecond {
			t.Errorf("in pieces of %d: swing %d in %v", size, m.swing, m.length())
		}
	}
}
