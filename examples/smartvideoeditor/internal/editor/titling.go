package editor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/paid"
)

// description is the result of the fourth stage.
type description struct {
	Chapters []chapter
	Summary  string
	Tokens   paid.Tokens
	Skipped  string // why the model was not asked; "": it was
	Missing  string // why it has said nothing although it was asked
}

// chapter is a highlight with a title. It starts at a time of the reel.
type chapter struct {
	Start time.Duration
	Title string
}

func (d description) summary() string {
	switch {
	case d.Skipped != "":
		return "skipped: " + d.Skipped
	case d.Missing != "":
		return d.note()
	}
	return fmt.Sprintf("%s, %d tokens in, %d out", count(len(d.Chapters), "title"), d.Tokens.Input, d.Tokens.Output)
}

// note tells the user what is missing.
func (d description) note() string { return "no titles and no summary: " + d.Missing }

// lost has a run that continues the job ask again.
func (d description) lost() error {
	if d.Missing != "" {
		return errors.New(d.Missing)
	}
	return nil
}

// titling asks a paid chat model for a title of each highlight and a summary. The reel does without:
// a service that fails and a budget that is used up are no reason to lose it.
func (r *run) titling(ctx context.Context) (err error) {
	r.description, err = stage(ctx, r, Titling, func(ctx context.Context) (description, error) {
		switch {
		case r.transcript.Text == "":
			return description{Skipped: "nothing was said"}, nil
		case r.Describer == nil:
			return description{Skipped: "no chat model; -chat-url says where one is"}, nil
		}
		highlights := media.Reel(r.scenes.Segments)
		said, err := pay(ctx, func(ctx context.Context) (paid.Description, error) {
			return r.Describer.Describe(ctx, r.transcript.lines(), r.transcript.during(highlights))
		})
		r.spent(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return description{}, err
			}
			instrument.RecordError(ctx, err)
			return description{Missing: err.Error()}, nil
		}
		d := description{Summary: said.Summary, Tokens: said.Tokens}
		at := time.Duration(0)
		for i, h := range highlights {
			d.Chapters = append(d.Chapters, chapter{Start: at, Title: said.Titles[i]})
			at += h.Len()
		}
		return d, nil
	})
	return err
}

// during returns what is said in each of the spans. An utterance belongs where its middle is.
func (t transcript) during(spans []media.Span) []string {
	words := make([]string, len(spans))
	for i, s := range spans {
		var texts []string
		for _, u := range t.Utterances {
			if middle := u.Start + (u.End-u.Start)/2; middle >= s.Start && middle < s.End {
				texts = append(texts, u.Text)
			}
		}
		words[i] = strings.Join(texts, " ")
	}
	return words
}

// lines returns the text with each utterance on a line of its own, if the service says them.
func (t transcript) lines() string {
	if len(t.Utterances) == 0 {
		return t.Text
	}
	var texts []string
	for _, u := range t.Utterances {
		texts = append(texts, u.Text)
	}
	return strings.Join(texts, "\n")
}
