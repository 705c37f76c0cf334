package editor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

// normalized is the result of the fifth stage: the sound with all segments equally loud.
type normalized struct {
	File   file           // "": the sound is silence, and stays as it is
	Spread *instrument.LU // after normalization; nil: too short
	Whole  string         // how loudnorm changed the whole: "linear", with one gain; "": not at all
}

func (n normalized) summary() string {
	switch {
	case n.File == "":
		return "skipped: nothing to hear"
	case n.Spread == nil:
		return "too short to be measured"
	}
	return fmt.Sprintf("loudness spread %.1f LU", *n.Spread)
}

func (n normalized) lost() error {
	if n.File == "" {
		return nil
	}
	_, err := os.Stat(string(n.File))
	return err
}

// normalization brings each segment to the same loudness, and then, if one gain suffices, the whole
// to the target.
func (r *run) normalization(ctx context.Context) (err error) {
	r.normalized, err = stage(ctx, r, Normalization, func(ctx context.Context) (normalized, error) {
		if !r.video.hasSound() || r.scenes.silent() {
			return normalized{}, nil
		}
		even, err := r.normalize(ctx)
		if err != nil {
			return normalized{}, err
		}
		for _, segment := range r.scenes.Segments {
			if gain, ok := segment.Gain(); ok {
				instrument.RecordNormalization(ctx, gain)
			}
		}
		if even.Spread != nil {
			instrument.RecordLoudnessSpread(ctx, instrument.AfterNormalization, *even.Spread)
		}
		// Attributes of your own go on the span of the stage.
		trace.SpanFromContext(ctx).SetAttributes(attribute.String("loudnorm.normalization_type", even.Whole))
		return even, nil
	})
	return err
}

// measuring is the share of the first pass in the work of the normalization.
const measuring = 0.4

func (r *run) normalize(ctx context.Context) (even normalized, err error) {
	even.File = file(filepath.Join(r.workspace(r.task.ID), "normalized.mka"))
	gains := string(even.File) + ".gains"
	if err := os.WriteFile(gains, []byte(media.GainCommands(r.scenes.Segments)), 0o600); err != nil {
		return normalized{}, err
	}
	defer func() { err = errors.Join(err, os.Remove(gains)) }()
	filters := []string{media.GainFilter(gains)}

	measured, err := r.measure(ctx, filters)
	twice := false
	switch {
	case errors.Is(err, media.ErrSilent): // shorter than loudnorm can measure
	case err != nil:
		return normalized{}, err
	case measured.Linear():
		filters = append(filters, measured.Filter(), media.SoundFormat) // loudnorm puts out 192 kHz
		twice = true
	}

	var loudness media.Measured
	filters = append(filters, media.LoudnessFilter)
	log, err := r.filterSound(ctx, filters, []string{"-c:a", "flac"}, loudness.Log(), ffmpeg.WithOutput(string(even.File)),
		ffmpeg.WithShare(measuring, 1))
	if err != nil {
		return normalized{}, err
	}
	if twice {
		did, err := media.ReadLoudnorm(log)
		if err != nil {
			return normalized{}, err
		}
		even.Whole = did.Type
	}
	segments := slices.Clone(r.scenes.Segments)
	loudness.Loudness(segments)
	even.Spread = spread(segments)
	return even, nil
}

// measure runs the first pass of loudnorm, on the output of the filters.
func (r *run) measure(ctx context.Context, filters []string) (media.Loudnorm, error) {
	log, err := r.filterSound(ctx, append(slices.Clip(filters), media.LoudnormFilter()), []string{"-f", "null", "-"}, &media.Log{},
		ffmpeg.WithShare(0, measuring))
	if err != nil {
		return media.Loudnorm{}, err
	}
	return media.ReadLoudnorm(log)
}

// filterSound runs the sound through filters. It returns the lines of ffmpeg's log that are not
// log's, which have the reports of filters.
func (r *run) filterSound(ctx context.Context, filters, output []string, log *media.Log, opts ...ffmpeg.Option) (string, error) {
	sound, err := r.soundInput(ctx, media.Span{End: r.video.Length})
	if err != nil {
		return "", err
	}
	args := append([]string{"-loglevel", "repeat+level+info"}, sound...)
	args = append(args, "-map", "0:a", "-af", strings.Join(filters, ","))
	var written strings.Builder
	log.Others = func(line string) { written.WriteString(line + "\n") }
	opts = append(opts, ffmpeg.WithStderr(log), ffmpeg.WithDuration(r.video.Length), ffmpeg.WithStallTimeout(stall))
	_, err = ffmpeg.Run(ctx, append(args, output...), opts...)
	return written.String(), err
}
