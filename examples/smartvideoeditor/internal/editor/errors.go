package editor

import (
	"errors"
	"fmt"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// InputError is the error of a video that cannot be edited, for a reason that ffmpeg does not
// report.
type InputError struct {
	Type   string // one of few, stable words: the error_type of video_processing_errors_total
	Reason string
}

func (e *InputError) Error() string { return e.Reason }

// ErrorType returns the type, for package instrument.
func (e *InputError) ErrorType() string { return e.Type }

// The errors of inputs that cannot be edited.
var (
	errNotAFile   = &InputError{"not_a_file", "the input is a folder or a device, not a file"}
	errEmpty      = &InputError{"empty_file", "the file is empty"}
	errAudioOnly  = &InputError{"audio_only", "the file has sound but no video"}
	errNoVideo    = &InputError{"no_video", "the file has no video"}
	errNoDuration = &InputError{"no_duration", "the video's length is unknown or zero"}
)

// explain adds to an error of ffmpeg its meaning for a user. The type stays that of ffmpeg.
func explain(err error) error {
	var failed *ffmpeg.Error
	if !errors.As(err, &failed) {
		return err
	}
	switch failed.Type {
	case ffmpeg.TypeTruncated:
		return fmt.Errorf("the video is cut off: %w", err)
	case ffmpeg.TypeInvalidData, ffmpeg.TypeFormatBlocked:
		return fmt.Errorf("the file is not a video, or is damaged: %w", err)
	}
	return err
}
