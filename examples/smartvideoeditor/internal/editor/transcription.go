package editor

import (
	"context"
	"fmt"
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
		case r.scenes.silent(), r.video.SoundLength < whisper.MinLength:
			return transcript{Skipped: "nothing to hear"}, nil
		}
		var texts []string
		for start := time.Duration(0); r.video.SoundLength-start >= whisper.MinLength; start += chunk {
			text, err := r.transcribe(ctx, start, min(chunk, r.video.SoundLength-start))
			if err != nil {
				return transcript{}, err
			}
			texts = append(texts, text)
			r.screen.Progress(float64(start+chunk) / float64(r.video.SoundLength))
		}
		return transcript{Text: strings.TrimSpace(strings.Join(texts, " "))}, nil
	})
	return err
}

// transcribe sends one part of the sound. The price follows exactly from the length, so the budget
// is asked for it before the call, and a failed call that was sent costs the same. The cost is
// stored right after the call: a job that is killed later has still spent the money.
func (r *run) transcribe(ctx context.Context, start, length time.Duration) (string, error) {
	part, err := r.extractSound(ctx, start, length)
	if err != nil {
		return "", err
	}
	defer os.Remove(part)

	price := func(t whisper.Transcript) instrument.USD {
		if t.Billed > 0 {
			return whisper.Price(t.Billed)
		}
		return whisper.Price(length)
	}
	send := func(ctx context.Context) (whisper.Transcript, error) { return r.Transcriber.Transcribe(ctx, part) }

	job := instrument.JobFromContext(ctx)
	before := job.Cost()
	answer, err := instrument.RunCallValue(ctx, whisper.API, price, send,
		instrument.WithMaxCost(whisper.Price(length)), instrument.WithMinCost(whisper.Price(length)),
		instrument.WithLease(r.Lease))
	if kept := r.spend(ctx, job.Cost()-before); err == nil {
		err = kept
	}
	return answer.Text, err
}

// extractSound writes a part of the sound to a file, as small as speech recognition allows.
func (r *run) extractSound(ctx context.Context, start, length time.Duration) (string, error) {
	part := filepath.Join(r.workspace(r.task.ID), "speech.flac")
	args := append([]string{"-ss", media.Timestamp(start), "-t", media.Timestamp(length)}, ffmpeg.Input(r.task.Path)...)
	args = append(args, "-map", fmt.Sprintf("0:%d", r.video.Sound), "-ar", "16000", "-ac", "1", "-c:a", "flac")
	_, err := ffmpeg.Run(ctx, args, ffmpeg.WithOutput(part), ffmpeg.WithStallTimeout(stall))
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
