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
	errNotAFile  = &InputError{"not_a_file", "the input is a folder, a pipe or a device, not a file"}
	errEmpty     = &InputError{"empty_file", "the file is empty"}
	errAudioOnly = &InputError{"audio_only", "the file has sound but no video"}
	errNoVideo   = &InputError{"no_video", "the file has no video"}
	errNoPicture = &InputError{"no_video", "not one frame of the video can be decoded"}
	errDamaged   = &InputError{"damaged", "more than a tenth of the video is damaged, or it is encrypted"}
	errTooLong   = &InputError{"too_long", fmt.Sprintf("the video is longer than %v, or its time stamps jump by as much", maxLength)}
)

// errNoSound is the error of a sound track that has nothing in it.
var errNoSound = errors.New("not one sample of the sound can be decoded")

// explain adds to an error of ffmpeg its meaning for a user. The type stays that of ffmpeg.
func explain(err error) error {
	var failed *ffmpeg.Error
	if !errors.As(err, &failed) {
		return err
	}
	switch failed.Type {
	case ffmpeg.TypeTruncated:
		return fmt.Errorf("the video is cut off: %w", err)
	case ffmpeg.TypeInvalidData:
		return fmt.Errorf("the file is not a video, or is damaged: %w", err)
	case ffmpeg.TypeDamaged:
		return fmt.Errorf("the video is damaged or encrypted: %w", err)
	case ffmpeg.TypeFormatBlocked:
		return fmt.Errorf("the file's format is not one that is edited, such as a picture, an animated PNG, raw MJPEG or a playlist: %w", err)
	case ffmpeg.TypeUnknownDecoder:
		return fmt.Errorf("this ffmpeg cannot decode the video: %w", err)
	}
	return err
}
