package editor

import (
	"context"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

// soundInput returns the arguments that open span of the sound as ffmpeg's next input. Its only
// stream is the sound as the reel will have it before normalization: it starts with the picture's
// first frame, is as long as the picture, and is silent where the input has no sound. Span must lie
// in it. If the file of the sound is gone, which validation made, soundInput makes it again.
func (r *run) soundInput(ctx context.Context, span media.Span) ([]string, error) {
	return append(span.Cut(), ffmpeg.Input(r.task.Path)...), nil
}
