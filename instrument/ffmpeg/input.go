package ffmpeg

import "strings"

// containers lists the demuxers of containers and streams that hold their media themselves.
// Demuxers that open other files or addresses (hls, dash, concat, imf, sdp, rtsp, image2), devices,
// or text are left out.
var containers = strings.Join([]string{
	"mov", "matroska", "webm", "avi", "flv", "live_flv", "mpegts", "mpeg", "mpegvideo", "asf", "ogg", "mxf", "gxf", "dv",
	"nut", "ivf", "wtv", "rm", "nsv", "dhav", "gif", "yuv4mpegpipe",
	"h264", "hevc", "av1", "obu", "m4v", "vc1", "h261", "h263", "cavsvideo", "dirac", "dnxhd",
	"wav", "w64", "aiff", "au", "caf", "mp3", "aac", "ac3", "eac3", "dts", "truehd", "mlp", "flac", "amr", "ape", "wv", "tta",
}, ",")

// File returns path as an argument that ffmpeg always takes for the name of a local file: "-y.mp4"
// is no option, "http:x" no address, "a|b" no list.
func File(path string) string { return "file:" + path }

// Input returns the arguments that open the local file path as ffmpeg's next input, and no other
// file. Playlists and other lists of files, still images and texts are refused (type
// format_blocked), and so is every protocol other than file (type protocol_blocked). Options of the
// input, such as -ss, go before it:
//
//	args := append([]string{"-ss", "10"}, ffmpeg.Input(path)...)
func Input(path string) []string {
	return inputArgs(path, nil, nil)
}

func inputArgs(path string, formats, protocols []string) []string {
	url, from, as := File(path), "file", containers
	if len(protocols) > 0 {
		url, from = path, strings.Join(protocols, ",")
	}
	if len(formats) > 0 {
		as = strings.Join(formats, ",")
	}
	return []string{"-protocol_whitelist", from, "-format_whitelist", as, "-i", url}
}
