package ffmpeg

import "strings"

// Demuxers of containers and streams that hold their media themselves. What is missing opens other files or addresses
// (hls, dash, concat, imf, sdp, rtsp, image2), devices, or text.
var containers = strings.Join([]string{
	"mov", "matroska", "webm", "avi", "flv", "live_flv", "mpegts", "mpeg", "mpegvideo", "asf", "ogg", "mxf", "gxf", "dv",
	"nut", "ivf", "wtv", "rm", "nsv", "dhav", "gif", "yuv4mpegpipe",
	"h264", "hevc", "av1", "obu", "m4v", "vc1", "h261", "h263", "cavsvideo", "dirac", "dnxhd",
	"wav", "w64", "aiff", "au", "caf", "mp3", "aac", "ac3", "eac3", "dts", "truehd", "mlp", "flac", "amr", "ape", "wv", "tta",
}, ",")

// File is path as an argument of ffmpeg that is the name of a local file whatever it looks like: "-y.mp4" is no option,
// "http:x" no address, "a|b" no list.
func File(path string) string { return "file:" + path }

// Input is the arguments that open the local file path as ffmpeg's next input, and nothing but that file. A playlist
// or another list of files is refused (type format_blocked), and so is a still image or a text; a protocol other
// than file is refused as well (type protocol_blocked). Options of the input, such as -ss, go before it:
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
