package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// Pocketsphinx recognizes English by ffmpeg's asr filter.
type Pocketsphinx struct {
	acoustic, dictionary, language string
	limits                         limits
}

// limits bound what the recognizer may take of a recording that somebody has sent: twenty megabytes
// can be days of silence, and the header of a file may say anything.
type limits struct {
	length  time.Duration // of a recording
	stall   time.Duration // without progress
	least   time.Duration // for a recording of no length
	slowest int           // times its length that a recording may take besides
	output  int           // bytes of what was recognized
}

var defaultLimits = limits{length: time.Hour, stall: 2 * time.Minute, least: 5 * time.Minute, slowest: 20, output: 4 << 20}

// Where the model of CMU's pocketsphinx is found.
var modelFolders = []string{
	"/usr/share/pocketsphinx/model/en-us",
	"/usr/local/share/pocketsphinx/model/en-us",
	"/opt/homebrew/share/pocketsphinx/model/en-us",
}

// ModelVariable is the environment variable that names the model's folder if it is none of the
// usual ones.
const ModelVariable = "POCKETSPHINX_MODEL"

// NewPocketsphinx finds the model and sees that this ffmpeg has the filter.
func NewPocketsphinx(ctx context.Context) (*Pocketsphinx, error) {
	folders := modelFolders
	if folder := os.Getenv(ModelVariable); folder != "" {
		folders = []string{folder}
	}
	for _, folder := range folders {
		p := &Pocketsphinx{
			acoustic:   filepath.Join(folder, "en-us"),
			dictionary: filepath.Join(folder, "cmudict-en-us.dict"),
			language:   filepath.Join(folder, "en-us.lm.bin"),
			limits:     defaultLimits,
		}
		if _, err := os.Stat(p.language); err != nil {
			continue
		}
		// Half a second of nothing: is the filter there, and can it read the model?
		silence := []string{"-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono:d=0.5", "-af", p.filter(), "-f", "null", "-"}
		if err := p.run(ctx, time.Second, silence); err != nil {
			return nil, fmt.Errorf("speech recognition by ffmpeg's asr filter: %w", err)
		}
		return p, nil
	}
	return nil, fmt.Errorf("speech recognition: no model of pocketsphinx in %s; install pocketsphinx-en-us or set %s",
		strings.Join(folders, ", "), ModelVariable)
}

func (p *Pocketsphinx) filter() string {
	return fmt.Sprintf("asr=rate=16000:hmm=%s:dict=%s:lm=%s",
		media.EscapePath(p.acoustic), media.EscapePath(p.dictionary), media.EscapePath(p.language))
}

// Recognize transcribes the recording in a file. The recognizer reports an utterance after the
// pause behind it, so Recognize appends silence. An utterance begins where the one before it was
// reported. A recording that is too long is ErrTooLong.
func (p *Pocketsphinx) Recognize(ctx context.Context, path string, progress func(fraction float64)) (Transcript, error) {
	length, err := p.measure(ctx, path)
	if err != nil {
		return Transcript{}, err
	}
	t := Transcript{Duration: length}
	printed := bounded{left: p.limits.output}
	whole := length + time.Second
	told := ffmpeg.WithProgress(func(p ffmpeg.Progress) { progress(max(p.Fraction, 0)) })
	args := append(ffmpeg.Input(path),
		"-map", "0:a:0", "-t", media.Timestamp(whole),
		"-af", "apad=pad_dur=1,"+p.filter()+",ametadata=print:key=lavfi.asr.text:file=-", "-f", "null", "-")
	if err := p.run(ctx, length, args, ffmpeg.WithStdout(&printed), ffmpeg.WithDuration(whole), told); err != nil {
		return Transcript{}, notAudio(err)
	}
	t.Utterances = utterances(printed.String(), t.Duration)
	return t, nil
}

// measure returns the length of a recording, which it decodes to its end or to the longest length.
// The header of a file may state another one, or none.
func (p *Pocketsphinx) measure(ctx context.Context, path string) (time.Duration, error) {
	longest := p.limits.length + time.Second
	args := append([]string{"-t", media.Timestamp(longest)}, ffmpeg.Input(path)...)
	args = append(args, "-map", "0:a:0", "-f", "null", "-")
	read, err := ffmpeg.Run(ctx, args, ffmpeg.WithStallTimeout(p.limits.stall))
	switch {
	case err != nil:
		return 0, notAudio(err)
	case read.Time > p.limits.length:
		return 0, ErrTooLong
	}
	return read.Time, nil
}

// run runs ffmpeg on a recording of a length, within the limits.
func (p *Pocketsphinx) run(ctx context.Context, length time.Duration, args []string, opts ...ffmpeg.Option) error {
	ctx, cancel := context.WithTimeout(ctx, p.limits.least+time.Duration(p.limits.slowest)*length)
	defer cancel()
	if runtime.GOOS != "windows" { // where Run cannot watch for a stall and give the output
		opts = append(opts, ffmpeg.WithStallTimeout(p.limits.stall))
	}
	_, err := ffmpeg.Run(ctx, args, opts...)
	return err
}

// bounded is a buffer that refuses what is too much.
type bounded struct {
	bytes.Buffer
	left int
}

var errOutput = errors.New("the recognizer writes too much")

func (b *bounded) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return 0, errOutput
	}
	b.left -= len(p)
	return b.Buffer.Write(p)
}

// utterances reads the output of ametadata: a line with the time of a frame, and one with the text
// until then.
func utterances(printed string, length time.Duration) []Utterance {
	var list []Utterance
	var start, at time.Duration
	for line := range strings.Lines(printed) {
		if _, text, found := strings.Cut(line, "pts_time:"); found {
			if s, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
				at = min(media.Seconds(s), length)
			}
			continue
		}
		if _, text, found := strings.Cut(strings.TrimSpace(line), "lavfi.asr.text="); found && text != "" {
			list = append(list, Utterance{Start: start, End: max(at, start), Text: text})
			start = max(at, start)
		}
	}
	return list
}

// notAudio reports whether err is that of a recording that cannot be read, and not of a broken
// service.
func notAudio(err error) error {
	var failed *ffmpeg.Error
	if errors.As(err, &failed) {
		switch failed.Type {
		case ffmpeg.TypeInvalidData, ffmpeg.TypeDamaged, ffmpeg.TypeTruncated, ffmpeg.TypeFormatBlocked,
			ffmpeg.TypeMissingStream, ffmpeg.TypeProtocolBlocked, ffmpeg.TypeUnknownDecoder:
			return fmt.Errorf("%w: %w", ErrNotAudio, err)
		}
	}
	return err
}
