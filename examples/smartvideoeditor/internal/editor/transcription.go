package editor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/paid"
)

// transcript is the result of the third stage.
type transcript struct {
	Text       string
	Utterances []paid.Utterance // with their times in the video, if the service says them
	Sent       time.Duration    // what was billed, unless the service says otherwise
	Skipped    string           // why no sound was sent; "": it was
}

func (t transcript) summary() string {
	if t.Skipped != "" {
		return "skipped: " + t.Skipped
	}
	return count(len(strings.Fields(t.Text)), "word")
}

func (t transcript) lost() error { return nil }

// measurable is the shortest sound whose loudness can be measured: a gating block of BS.1770.
const measurable = 400 * time.Millisecond

// transcription sends the sound to a paid service, but not silence, which would cost as much as
// speech.
func (r *run) transcription(ctx context.Context) (err error) {
	r.transcript, err = stage(ctx, r, Transcription, func(ctx context.Context) (transcript, error) {
		switch {
		case !r.video.hasSound():
			return transcript{Skipped: "no sound"}, nil
		case r.scenes.silent() && r.video.Length >= measurable:
			return transcript{Skipped: "nothing to hear"}, nil
		}
		return r.hear(ctx, parts(r.video.Heard))
	})
	return err
}

// hear transcribes the parts, one after the other. It halves a part that is too large for the
// service, as often as needed: other services with the same API, and proxies, have other limits.
func (r *run) hear(ctx context.Context, todo []media.Span) (transcript, error) {
	var whole transcript
	var texts []string
	all, heard := time.Duration(0), time.Duration(0)
	for _, part := range todo {
		all += part.Len()
	}
	for len(todo) > 0 {
		part := todo[0]
		work := share{float64(heard) / float64(all), float64(heard+part.Len()) / float64(all)}
		got, err := r.hearPart(ctx, part, work, len(todo) == 1)
		if tooLarge(err) && part.Len() >= 2*shortestHalf {
			middle := part.Start + (part.Len() / 2).Round(time.Second) // whole seconds are billed
			todo = append([]media.Span{{Start: part.Start, End: middle}, {Start: middle, End: part.End}}, todo[1:]...)
			continue
		}
		if err != nil {
			return transcript{}, err
		}
		todo = todo[1:]
		if !got.Silent {
			texts = append(texts, got.Text)
			whole.Sent += got.Sent
			for _, u := range got.Utterances {
				u.Start, u.End = u.Start+part.Start, u.End+part.Start
				whole.Utterances = append(whole.Utterances, u)
			}
		}
		heard += part.Len()
		instrument.ReportProgress(ctx, work.to, 1)
	}
	if len(texts) == 0 {
		return transcript{Skipped: "nothing to hear"}, nil
	}
	whole.Text = strings.TrimSpace(strings.Join(texts, " "))
	return whole, nil
}

// A share is a part of the stage's work, from one fraction to another.
type share struct{ from, to float64 }

// at returns the fraction of the stage's work that is done when this fraction of the share is.
func (s share) at(fraction float64) float64 { return s.from + fraction*(s.to-s.from) }

// recordingShare is the share of writing a recording in the work of its transcription.
const recordingShare = 0.02

// tooLarge reports whether err says that a recording is too large for the service.
func tooLarge(err error) bool {
	var refusal *paid.Refusal
	return errors.As(err, &refusal) && refusal.StatusCode == http.StatusRequestEntityTooLarge
}

// heardPart is what is known of one part of the sound.
type heardPart struct {
	Silent     bool `json:"-"` // so it was not sent, and is not kept
	Text       string
	Utterances []paid.Utterance
	Sent       time.Duration // in whole seconds, as it is billed
}

// partName names the checkpoint of a part. A later version that cuts the sound elsewhere does not
// find it.
func partName(s media.Span) string {
	return fmt.Sprintf("%s%s%d-%d", Transcription, partMark, s.Start.Milliseconds(), s.End.Milliseconds())
}

// partMark is in the name of the checkpoint of a part of a stage, and not in that of a stage.
const partMark = "/"

// hearPart transcribes one part, unless an earlier run of the job has. What was paid is kept at
// once, so that it is not paid again if the job dies in a later part. The last part needs no
// checkpoint of its own: that of the stage follows.
func (r *run) hearPart(ctx context.Context, part media.Span, work share, last bool) (heardPart, error) {
	var kept heardPart
	if found, err := find(r.checkpoint, partName(part), &kept); err == nil && found {
		return kept, nil
	}
	began := time.Now()
	recorded, err := r.record(ctx, part, ffmpeg.WithShare(work.from, work.at(recordingShare)))
	if err != nil {
		return heardPart{}, err
	}
	defer os.Remove(recorded.path)
	if recorded.silent() {
		return heardPart{Silent: true}, nil
	}
	stage := ctx
	ctx = paid.WithProgress(ctx, func(fraction float64) {
		instrument.ReportProgress(stage, work.at(recordingShare+fraction*(1-recordingShare)), 1)
	})
	answer, err := pay(ctx, func(ctx context.Context) (paid.Transcript, error) { return r.listen(ctx, recorded) })
	got := heardPart{Text: answer.Text, Utterances: answer.Utterances, Sent: paid.BegunSeconds(recorded.length())}
	if err != nil || last {
		return got, err
	}
	return got, r.keep(ctx, partName(part), time.Since(began), got)
}
