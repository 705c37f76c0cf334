package editor

import (
	"context"
	"path/filepath"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/price"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/cache"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/paid"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/screen"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/store"
)

// The stages of a job, in their order.
const (
	Validation    = "validation"
	Analysis      = "analysis"
	Transcription = "transcription"
	Titling       = "titling"
	Normalization = "normalization"
	Rendering     = "rendering"
)

// Stages returns the names of the stages, for instrument.WithStages.
func Stages() []string {
	return []string{Validation, Analysis, Transcription, Titling, Normalization, Rendering}
}

// APIs returns the names under which the paid calls are measured, for instrument.WithAPIs.
func APIs() []string { return []string{paid.Whisper, paid.OpenAI} }

// Transcriber is the paid service that the editor needs.
type Transcriber interface {
	Transcribe(ctx context.Context, path string, length time.Duration) (paid.Transcript, error)
}

// Describer is a paid service that the editor can do without.
type Describer interface {
	Describe(ctx context.Context, transcript string, chapters []string) (paid.Description, error)
}

// An Editor edits videos. Its fields are set before its first use and not changed afterwards.
type Editor struct {
	Pipeline    *instrument.Pipeline
	Checkpoints *store.Store
	Cache       *cache.Cache // nil: none
	Transcriber Transcriber
	Describer   Describer    // nil: none
	Prices      *price.Table // of the paid calls, as their client has them
	Screen      screen.Screen
	Out         string         // the folder of the reels: absolute; it exists, and one editor at a time uses it
	State       string         // a folder in Out for unfinished files
	Budget      instrument.USD // of each job, over all its runs
	Lease       time.Duration  // of a transcription: after that, one whose program died counts as spent
}

// output returns the path of a job's reel.
func (e *Editor) output(id string) string { return filepath.Join(e.Out, id+".mp4") }

// workspace returns the folder where a job keeps files of earlier stages for later ones.
func (e *Editor) workspace(id string) string { return filepath.Join(e.State, "work", id) }
