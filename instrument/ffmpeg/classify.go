package ffmpeg

import (
	"bytes"
	"strconv"
	"strings"
)

// The weight of a log line is how much it says about why a run failed. The heaviest line decides;
// among equals the first, since those after it are its consequences.
const (
	vague    = iota // a consequence, or a text with many causes
	damage          // a run may survive it
	cutShort        // as damage, and more precise
	likely          // a run rarely survives it
	decisive        // no run survives it
)

// A rule matches the message of one line by the prefix, suffix and part that it has. Messages
// contain names of files, so a rule looks only where a name cannot be. Rules for the texts of
// strerror are suffixes: ffmpeg prints them last.
type rule struct {
	prefix, part, suffix string
	component            string // the log line's, such as mpegts
	warning              bool   // counts as a warning, too
	errorType            string
	weight               int
}

// rules are tried in order; the first that matches a line decides.
var rules = []rule{
	{suffix: "No space left on device", errorType: TypeNoSpace, weight: decisive},
	{suffix: "Disk quota exceeded", errorType: TypeNoSpace, weight: decisive},
	{suffix: "File too large", errorType: TypeNoSpace, weight: decisive},
	{suffix: "Broken pipe", errorType: TypeBrokenPipe, weight: decisive},
	{suffix: "Cannot allocate memory", errorType: TypeOutOfMemory, weight: decisive},

	{prefix: "Format not on whitelist '", errorType: TypeFormatBlocked, weight: decisive},
	{prefix: "Protocol '", part: "' not on whitelist '", errorType: TypeProtocolBlocked, weight: decisive},
	{prefix: "Unsafe file name '", errorType: TypeProtocolBlocked, weight: decisive},
	{prefix: "Filename extension of '", part: "blocked for security reasons", errorType: TypeProtocolBlocked, weight: decisive},
	{prefix: "URL ", suffix: " is not in allowed_segment_extensions", errorType: TypeProtocolBlocked, weight: decisive},
	{suffix: ": Protocol not found", errorType: TypeProtocolBlocked, weight: likely},

	{prefix: "Unknown encoder '", errorType: TypeUnknownEncoder, weight: decisive},
	{prefix: "Automatic encoder selection failed", errorType: TypeUnknownEncoder, weight: decisive},
	{suffix: "Encoder not found", errorType: TypeUnknownEncoder, weight: decisive},
	{prefix: "Unknown decoder '", errorType: TypeUnknownDecoder, weight: decisive},
	{prefix: "Decoder (codec ", part: ") not found for ", errorType: TypeUnknownDecoder, weight: decisive},
	{prefix: "Decoding requested, but no decoder found", errorType: TypeUnknownDecoder, weight: decisive},
	{suffix: "Decoder not found", errorType: TypeUnknownDecoder, weight: decisive},
	{prefix: "No such filter: '", errorType: TypeUnknownFilter, weight: decisive},
	{suffix: "Filter not found", errorType: TypeUnknownFilter, weight: decisive},
	{prefix: "Unknown input format: '", errorType: TypeUnknownFormat, weight: decisive},
	{prefix: "Requested output format '", errorType: TypeUnknownFormat, weight: decisive},
	{prefix: "Unable to find a suitable output format for '", errorType: TypeUnknownFormat, weight: decisive},
	{prefix: "Unable to choose an output format for '", errorType: TypeUnknownFormat, weight: decisive},

	{prefix: "Stream map '", part: "' matches no streams", errorType: TypeMissingStream, weight: decisive},
	{prefix: "Stream specifier '", part: " matches no streams", errorType: TypeMissingStream, weight: decisive},
	{prefix: "Cannot find a matching stream for unlabeled input pad", errorType: TypeMissingStream, weight: decisive},
	{prefix: "Output file ", suffix: "does not contain any stream", errorType: TypeMissingStream, weight: decisive},
	{prefix: "Empty output", errorType: TypeEmptyOutput, weight: decisive},
	{prefix: "File '", suffix: "' already exists. Exiting.", errorType: TypeExists, weight: decisive},

	{prefix: "At least one output file must be specified", errorType: TypeBadArgs, weight: decisive},
	{prefix: "Use -h to get full help", warning: true, errorType: TypeBadArgs, weight: decisive},
	{prefix: "Unrecognized option '", errorType: TypeBadArgs, weight: decisive},
	{prefix: "Missing argument for option '", errorType: TypeBadArgs, weight: decisive},
	{prefix: "Error splitting the argument list", errorType: TypeBadArgs, weight: decisive},
	{prefix: "Error parsing options for ", errorType: TypeBadArgs, weight: decisive},
	{prefix: "Error, both -y and -n supplied", errorType: TypeBadArgs, weight: decisive},
	{prefix: "Invalid duration specification for ", errorType: TypeBadArgs, weight: decisive},
	{prefix: "Undefined constant or missing '('", errorType: TypeBadArgs, weight: likely},
	{prefix: "Unable to parse option value", errorType: TypeBadArgs, weight: likely},
	{prefix: "Error setting option ", errorType: TypeBadArgs, weight: likely},
	{prefix: "Error applying option", errorType: TypeBadArgs, weight: likely},
	{prefix: "Option '", suffix: "' not found", errorType: TypeBadArgs, weight: likely},
	{suffix: "Option not found", errorType: TypeBadArgs, weight: likely},
	{prefix: "Option ", part: " cannot be applied to ", errorType: TypeBadArgs, weight: decisive},

	{suffix: "No such file or directory", errorType: TypeNotFound, weight: likely},
	{suffix: "Server returned 404 Not Found", errorType: TypeNotFound, weight: likely},
	{suffix: "Server returned 401 Unauthorized (authorization failed)", errorType: TypePermission, weight: likely},
	{suffix: "Server returned 403 Forbidden (access denied)", errorType: TypePermission, weight: likely},
	{suffix: "Permission denied", errorType: TypePermission, weight: likely},
	{suffix: "Read-only file system", errorType: TypePermission, weight: likely},
	{suffix: "Is a directory", errorType: TypeInvalidData, weight: likely},

	{prefix: "Failed to resolve hostname ", errorType: TypeNetwork, weight: likely},
	{suffix: "Connection refused", errorType: TypeNetwork, weight: likely},
	{suffix: "Connection reset by peer", errorType: TypeNetwork, weight: likely},
	{suffix: "Connection timed out", errorType: TypeNetwork, weight: likely},
	{suffix: "Operation timed out", errorType: TypeNetwork, weight: likely},
	{suffix: "Network is unreachable", errorType: TypeNetwork, weight: likely},
	{suffix: "No route to host", errorType: TypeNetwork, weight: likely},
	{suffix: "Server returned 4XX Client Error, but not one of 40{0,1,3,4}", errorType: TypeNetwork, weight: likely},
	{suffix: "Server returned 5XX Server Error reply", errorType: TypeNetwork, weight: likely},
	{component: "tls", errorType: TypeNetwork, weight: likely},

	// ffmpeg takes data that it does not recognize for the format that the file's name suggests,
	// warns of that, and then misses its end.
	{
		part: " detected only with low score of ", suffix: "misdetection possible!",
		warning: true, errorType: TypeInvalidData, weight: cutShort,
	},
	{prefix: "moov atom not found", errorType: TypeTruncated, weight: cutShort},
	{prefix: "File ended prematurely", errorType: TypeTruncated, weight: cutShort},
	{prefix: "Stream ends prematurely at ", errorType: TypeTruncated, weight: cutShort},
	{prefix: "filesize and duration do not match", warning: true, errorType: TypeTruncated, weight: cutShort},
	{prefix: "stream ", suffix: ": partial file", errorType: TypeTruncated, weight: cutShort},
	// Demuxers that know of losses in the middle. For the others a packet is corrupt if the file ends in it.
	{prefix: "Packet corrupt (", component: "mpegts", warning: true, errorType: TypeDamaged, weight: cutShort},
	{prefix: "Packet corrupt (", component: "ogg", warning: true, errorType: TypeDamaged, weight: cutShort},
	{prefix: "Packet corrupt (", warning: true, errorType: TypeTruncated, weight: cutShort},
	{suffix: ": End of file", errorType: TypeTruncated, weight: cutShort},
	{part: ": corrupt input packet in stream ", errorType: TypeDamaged, weight: damage},
	{prefix: "Invalid NAL unit size (", errorType: TypeDamaged, weight: damage},
	{prefix: "Error while decoding stream #", errorType: TypeDamaged, weight: damage},
	{suffix: "Invalid data found when processing input", errorType: TypeInvalidData, weight: damage},

	// ffmpeg cuts a line at 1 KiB. If it has a long URL, such as a signed one, the suffixes above
	// are missing.
	{prefix: "HTTP error 404 ", warning: true, errorType: TypeNotFound, weight: vague},
	{prefix: "HTTP error 401 ", warning: true, errorType: TypePermission, weight: vague},
	{prefix: "HTTP error 403 ", warning: true, errorType: TypePermission, weight: vague},
	{prefix: "HTTP error ", warning: true, errorType: TypeNetwork, weight: vague},
	{suffix: "Input/output error", errorType: TypeIO, weight: vague},
	{suffix: "Invalid argument", errorType: TypeBadArgs, weight: vague},
	{part: "maybe incorrect parameters", errorType: TypeBadArgs, weight: vague},
	{prefix: "Could not write header for output file #", errorType: TypeBadArgs, weight: vague},
	{suffix: "Operation not permitted", errorType: TypePermission, weight: vague},
}

// A verdict is the reason of a failure according to the log so far. The zero value is none.
type verdict struct {
	errorType string
	line      string
	weight    int
	tagged    bool   // the line had a level, as ffmpeg's have; others come from libraries and scripts
	input     string // the URL that Check reads
	brokeOff  bool   // reading input ended before its end, after which ffmpeg before 7 exits with 0
	lost      bool   // the end of an output could not be written, after which ffmpeg 5.1 exits with 0 all the same
}

// read takes one line of the log, and reports whether the line decides for now.
func (v *verdict) read(line []byte) bool {
	component, level, message := split(line)
	if level != "" && level != "warning" && level != "error" && level != "fatal" && level != "panic" {
		return false
	}
	text := string(message)
	if level == "error" && (strings.HasPrefix(text, "Error writing trailer") || strings.HasPrefix(text, "Error closing file")) {
		v.lost = true
	}
	if level == "error" && v.input != "" && (component == "" && strings.HasPrefix(text, v.input+": ") || strings.HasPrefix(text, "Error during demuxing: ")) {
		v.brokeOff = true
	}
	r := ruleFor(component, level, text)
	if r == nil {
		return false
	}
	tagged := level != ""
	heavier := v.errorType == "" || tagged && !v.tagged || tagged == v.tagged && r.weight > v.weight
	if heavier {
		v.errorType, v.weight, v.tagged = r.errorType, r.weight, tagged
	}
	return heavier
}

// undecodable returns the stream that ffprobe warns of because it has no decoder for it.
func undecodable(line []byte) (stream int, ok bool) {
	_, _, message := split(line)
	text := string(message)
	_, number, ok := strings.Cut(text, " for input stream ")
	if !ok || !strings.HasPrefix(text, "Unsupported codec with id ") {
		if number, ok = strings.CutPrefix(text, "Failed to probe codec for input stream "); !ok {
			return 0, false
		}
	}
	stream, err := strconv.Atoi(strings.TrimSpace(number))
	return stream, err == nil
}

func ruleFor(component, level, message string) *rule {
	for i := range rules {
		r := &rules[i]
		if level == "warning" && !r.warning || r.component != "" && r.component != component {
			continue
		}
		if strings.HasPrefix(message, r.prefix) && strings.HasSuffix(message, r.suffix) && strings.Contains(message, r.part) {
			return r
		}
	}
	return nil
}

// split splits a line of -loglevel level: "[mov,mp4 @ 0x55d0] [error] moov atom not found". The
// component is the one in the last bracket before the level. Both are empty if the line has no
// level.
func split(line []byte) (component, level string, message []byte) {
	rest := line
	for len(rest) > 0 && rest[0] == '[' {
		end := bytes.IndexByte(rest, ']')
		if end < 0 {
			break
		}
		tag := rest[1:end]
		rest = bytes.TrimPrefix(rest[end+1:], []byte(" "))
		name, _, isComponent := bytes.Cut(tag, []byte(" @ "))
		if !isComponent {
			return component, string(tag), rest
		}
		component = string(name)
	}
	return "", "", line
}
