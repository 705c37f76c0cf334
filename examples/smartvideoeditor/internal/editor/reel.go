package editor

import (
	"context"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

// encoding has the options of the reel's streams.
var encoding = []string{"-c:v", "libx264", "-preset", "veryfast", "-crf", "21"}

// reelRate returns the frames per second of the reel: those that the file states, if they are usual
// and about those that were read.
func reelRate(s media.Source, stated float64) float64 {
	rate := s.FrameRate
	if stated > rate*0.8 && stated < rate*1.25 {
		rate = stated
	}
	if rate < 1 || rate > 60.5 {
		return 30
	}
	return rate
}

// The filters that make of HDR what every display shows, and that keep it.
const (
	toneMap = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709," +
		"tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
	keepHDR = "format=yuv420p10le"
	keepSDR = "format=yuv420p"
)

// tryReel finds the filters for the colors of the reel, and makes its first frames with them, so
// that what this ffmpeg lacks shows before money is spent.
func (r *run) tryReel(ctx context.Context, v *video) (err error) {
	for _, v.Shown = range colors(v.Source.Colors) {
		args := append(r.input(), "-map", fmt.Sprintf("0:%d", v.Streams.Picture), "-vf", v.steady()+","+v.pictureFilter(), "-frames:v", "3")
		args = append(append(args, encoding...), "-f", "null", "-")
		_, err = ffmpeg.Run(ctx, args, ffmpeg.WithStallTimeout(stall), trying)
		if err == nil || !decoding(err) {
			return err
		}
	}
	return err
}

// colors returns the filters to try. HDR is only known by its tags, so those that are missing are
// set.
func colors(c media.Colors) []string {
	if !c.HDR() {
		return []string{keepSDR}
	}
	known := func(name, instead string) string {
		if name == "" || name == "unknown" || name == "reserved" {
			return instead
		}
		return name
	}
	tags := fmt.Sprintf("setparams=range=%s:colorspace=%s:color_primaries=%s:color_trc=%s,",
		known(c.Range, "tv"), known(c.Matrix, "bt2020nc"), known(c.Primaries, "bt2020"), c.Transfer)
	return []string{tags + toneMap, tags + keepHDR}
}

// pictureFilter returns a filter whose output every player shows: upright (by ffmpeg itself), of
// one size with even sides and square pixels, whatever the sizes of the frames.
func (v video) pictureFilter() string {
	fits := fmt.Sprintf("lt(abs(dar*%[2]d/%[1]d-1),0.05)", v.Width, v.Height)
	return fmt.Sprintf("scale=w='if(%[3]s,%[1]d,max(2,2*trunc(min(%[1]d,%[2]d*dar)/2)))':"+
		"h='if(%[3]s,%[2]d,max(2,2*trunc(min(%[2]d,%[1]d/dar)/2)))',pad=%[1]d:%[2]d:-1:-1:eval=frame,setsar=1,%[4]s",
		v.Width, v.Height, fits, v.Shown)
}

// steady returns a filter that makes whole frames, at the rate of the reel.
func (v video) steady() string {
	if v.Interlaced {
		return fmt.Sprintf("bwdif=mode=send_frame:deint=interlaced,fps=%.5g", v.Rate)
	}
	return fmt.Sprintf("fps=%.5g", v.Rate)
}

// seekable are the containers whose times do not depend on what was read before.
var seekable = map[string]bool{"mov,mp4,m4a,3gp,3g2,mj2": true, "matroska,webm": true}

// seeks tries whether ffmpeg finds the times of the picture without reading all that is before
// them.
func (r *run) seeks(ctx context.Context, info ffmpeg.Info, v video) (bool, error) {
	if !seekable[info.Format.Name] || v.Varies {
		return false, nil
	}
	for _, at := range []time.Duration{0, v.Length / 2, v.Length / 10 * 9} {
		var found media.Reading
		args := append([]string{"-loglevel", "repeat+level+info", "-ss", media.Timestamp(v.Origin + at)}, r.input()...)
		args = append(args, "-map", fmt.Sprintf("0:%d", v.Streams.Picture), "-vf", media.PictureReader, "-frames:v", "1", "-f", "null", "-")
		_, err := ffmpeg.Run(ctx, args, ffmpeg.WithStallTimeout(stall), ffmpeg.WithStderr(found.Log()), seeking)
		if err != nil && !decoding(err) {
			return false, err
		}
		first, ok := found.Source(v.FrameRate)
		if err != nil || !ok || first.Origin < 0 || first.Origin.Seconds()*v.FrameRate > 1.5 {
			return false, nil
		}
	}
	return true, nil
}
