package editor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/whisper"
)

// chunk is the length of sound that is sent at once: ten minutes are well below the limit of the
// service.
const chunk = 10 * time.Minute

// transcript is the result of the third stage.
type transcript struct {
	Text    string
	Skipped string // why no sound was sent; "": it was
}

func (t transcript) summary() string {
	if t.Skipped != "" {
		return "skipped: " + t.Skipped
	}
	return count(len(strings.Fields(t.Text)), "word")
}

func (t transcript) lost() error { return nil }

// transcription sends the sound to a paid service, unless it is silence, which would cost as much
// as speech.
func (r *run) transcription(ctx context.Context) (err error) {
	r.transcript, err = stage(ctx, r, Transcription, func(ctx context.Context) (transcript, error) {
		switch {
		case !r.video.hasSound():
			return transcript{Skipped: "no sound"}, nil
		case r.scenes.silent():
			return transcript{Skipped: "nothing to hear"}, nil
		}
		var texts []string
		for start := time.Duration(0); start < r.video.Length; start += chunk {
			part := media.Span{Start: start, End: min(start+chunk, r.video.Length)}
			if len(r.video.Sounds(part)) == 0 || part.Len() < whisper.MinLength {
				continue
			}
			text, err := r.transcribe(ctx, part)
			if err != nil {
				return transcript{}, err
			}
			texts = append(texts, text)
			r.screen.Progress(float64(part.End) / float64(r.video.Length))
		}
		return transcript{Text: strings.TrimSpace(strings.Join(texts, " "))}, nil
	})
	return err
}

// transcribe sends one part of the sound. The price follows exactly from the length, so the budget
// is asked for it before the call, and a failed call that was sent costs the same. The cost is
// stored right after the call: a job that is killed later has still spent the money.
func (r *run) transcribe(ctx context.Context, span media.Span) (string, error) {
	part, err := r.extractSound(ctx, span)
	if err != nil {
		return "", err
	}
	defer os.Remove(part)

	price := func(t whisper.Transcript) instrument.USD {
		if t.Billed > 0 {
			return whisper.Price(t.Billed)
		}
		return whisper.Price(span.Len())
	}
	send := func(ctx context.Context) (whisper.Transcript, error) { return r.Transcriber.Transcribe(ctx, part) }

	job := instrument.JobFromContext(ctx)
	before := job.Cost()
	answer, err := instrument.RunCallValue(ctx, whisper.API, price, send,
		instrument.WithMaxCost(whisper.Price(span.Len())), instrument.WithMinCost(whisper.Price(span.Len())),
		instrument.WithLease(r.Lease))
	if kept := r.spend(ctx, job.Cost()-before); err == nil {
		err = kept
	}
	return answer.Text, err
}

// extractSound writes a part of the sound to a file, as small as speech recognition allows.
func (r *run) extractSound(ctx context.Context, span media.Span) (string, error) {
	part := filepath.Join(r.workspace(r.task.ID), "speech.flac")
	args, err := r.soundInput(ctx, span)
	if err != nil {
		return "", err
	}
	args = append(args, "-map", "0:a", "-ar", "16000", "-ac", "1", "-c:a", "flac")
	_, err = ffmpeg.Run(ctx, args, ffmpeg.WithOutput(part), ffmpeg.WithStallTimeout(stall))
	return part, err
}

// spend stores what the job has cost after a cost. The ledger has it already.
func (r *run) spend(ctx context.Context, cost instrument.USD) error {
	if cost == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	total, err := r.Checkpoints.SaveCost(ctx, r.task.ID)
	if err == nil {
		r.checkpoint.Cost = total
	}
	return err
}
