package ffmpeg

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// What ffmpegs have said that a test can't bring them to say.
func TestVerdictOnRecordedLogs(t *testing.T) {
	tests := map[string]struct{ log, want string }{
		"nothing":             {"", ""},
		"memory":              {"[fatal] Error initializing the muxer: Cannot allocate memory", TypeOutOfMemory},
		"quota":               {"[error] av_interleaved_write_frame(): Disk quota exceeded", TypeNoSpace},
		"read-only":           {"[error] /mnt/o.mp4: Read-only file system", TypePermission},
		"broken disk":         {"[error] a.mp4: Input/output error", TypeIO},
		"no encoder built in": {"[fatal] Automatic encoder selection failed for output stream #0:0. Default encoder for format mp4 (codec h264) is probably disabled. Please choose an encoder manually.", TypeUnknownEncoder},
		"no decoder built in": {"[error] Decoder (codec av1) not found for input stream #0:0", TypeUnknownDecoder},
		"no route":            {"[tcp @ 0x1] [error] Connection to tcp://10.0.0.1:80 failed: No route to host\n[error] http://10.0.0.1/a: No route to host", TypeNetwork},
		"ffmpeg 7, input":     {"[in#0 @ 0x5581] [error] Error opening input: No such file or directory\n[error] Error opening input file a.mp4.\n[error] Error opening input files: No such file or directory", TypeNotFound},
		"ffmpeg 7, format":    {"[AVFormatContext @ 0x55] [error] Unable to choose an output format for 'o.x'; use a standard extension for the filename or specify the format manually.\n[fatal] Error initializing the muxer for o.x: Invalid argument", TypeUnknownFormat},
		"ffmpeg 7, disk":      {"[out#0/mp4 @ 0x55] [error] Error writing trailer: No space left on device", TypeNoSpace},

		"the cause, not what follows":       {"[libx264 @ 0x1] [error] Unable to parse option value \"abc\"\n[error] a.mp4: No such file or directory", TypeBadArgs},
		"the grave, not what was survived":  {"[error] a.mp4: Invalid data found when processing input\n[error] av_interleaved_write_frame(): No space left on device", TypeNoSpace},
		"the precise, not the general":      {"[error] Error while decoding stream #0:0: Invalid data found when processing input\n[matroska @ 0x1] [error] File ended prematurely", TypeTruncated},
		"damage in a broadcast":             {"[mpegts @ 0x1] [warning] Packet corrupt (stream = 0, dts = 1).\n[fatal] a.ts: corrupt input packet in stream 0", TypeDamaged},
		"ffmpeg, not its libraries":         {"Fontconfig error: Cannot load default config file: No such file or directory\n[error] a.mp4: Invalid argument", TypeBadArgs},
		"a library, if nobody else":         {"sh: 1: cannot open a: No such file or directory", TypeNotFound},
		"no warning":                        {"[warning] cache: Permission denied", ""},
		"no information":                    {"[info] a: Permission denied", ""},
		"a file's name is no message":       {"[error] No such filter: 'x.mp4: Protocol not found.mp4: Permission denied/a: Invalid data found when processing input", TypeUnknownFilter},
		"a file's name says the wrong end":  {"[error] file:No space left on device: Is a directory", TypeInvalidData},
		"a file's name looks like a header": {"[error] file:[x @ 0x1] [fatal] Empty output: Permission denied", TypePermission},
		"brackets without end":              {"[error", ""},
		"brackets without content":          {"[] [] Empty output", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLogTail()
			_, _ = l.Write([]byte(tt.log))
			if tail := l.tail(); tail != cleanLines(tt.log) {
				t.Errorf("tail is %q", tail)
			}
			if got := l.verdict.errorType; got != tt.want {
				t.Errorf("got %q by %q, want %q", got, l.verdict.line, tt.want)
			}
		})
	}
}

func cleanLines(log string) string {
	var out []string
	for line := range strings.SplitSeq(log, "\n") {
		out = append(out, clean(line))
	}
	return strings.Join(out, "\n")
}

func TestLastWords(t *testing.T) {
	tests := map[string]struct{ log, want string }{
		"none":                      {"", ""},
		"the last error":            {"[error] first\n[x @ 0x1] [error] last\n[warning] after it\n[info] Conversion failed!", "[x] last"},
		"fatal before an error":     {"[fatal] fatal\n[error] last", "fatal"},
		"an error before a script":  {"[error] error\nlast", "error"},
		"a script before a warning": {"script\n[warning] last", "script"},
		"a warning":                 {"[warning] first\n[warning] last", "last"},
		"no continuation":           {"[warning] it\nConsider increasing the value for the 'analyzeduration' (0)\n    Last message repeated 3 times", "it"},
		"nothing that is shown":     {"[info] a\n[debug] b", ""},
		"without secrets":           {"[error] https://u:p@h/a?sig=b went wrong", "https://***@h/a?*** went wrong"},
		"long":                      {"[error] " + strings.Repeat("x", 2000), strings.Repeat("x", maxBrief) + "…"},
		"controlling a terminal":    {"[error] a\x1b[31m\u202e", "a\uFFFD[31m\uFFFD"},
		"a format that is not open": {"[apng @ 0x1] [error] Format not on whitelist 'mov,matroska'", "[apng] Format not on whitelist: not one of the formats that may be opened"},
	}
	for name, tt := range tests {
		l := newLogTail()
		_, _ = l.Write([]byte(tt.log))
		l.flush()
		if got := l.lastWords(); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// A filter that logs each frame at level info does not drive the cause of a failure out of the tail.
func TestTailKeepsWhatMatters(t *testing.T) {
	l := newLogTail()
	_, _ = l.Write([]byte("[info] before it\n[x @ 0x1] [error] the cause\nof a script\n"))
	for range 1000 {
		_, _ = l.Write([]byte("[Parsed_metadata_1 @ 0x55d0] [info] frame:1 pts:40 pts_time:0.04\n[verbose] a\n[debug] b\n[trace] c\n"))
	}
	_, _ = l.Write([]byte("[warning] after it"))
	if got, want := l.tail(), "[x] [error] the cause\nof a script\n[warning] after it"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	l = newLogTail()
	_, _ = l.Write([]byte("[info] nothing else"))
	if got := l.tail(); got != "[info] nothing else" {
		t.Errorf("got %q of a log that has only that", got)
	}
}

// Where ffmpeg has stdout alone to report its progress on, and that is taken, there is none.
func TestNoLines(t *testing.T) {
	var none *lines
	none.flush()
}

func TestClean(t *testing.T) {
	tests := map[string]struct{ line, want string }{
		"plain":       {"[error] a.mp4: Invalid argument", "[error] a.mp4: Invalid argument"},
		"address":     {"[mov,mp4 @ 0x55d0c8] [Eval @ 0x7ffd] [error] x", "[mov,mp4] [Eval] [error] x"},
		"terminal":    {"a\x1b[31mred\x07\x9b", "a\uFFFD[31mred\uFFFD\uFFFD"},
		"direction":   {"a\u202egpj.exe", "a\uFFFDgpj.exe"},
		"invalid":     {"a\xff\xfeb", "a\uFFFDb"},
		"password":    {"rtmp://user:pa@ss@host/live: refused", "rtmp://***@host/live: refused"},
		"signature":   {"https://h/a.mp4?X-Sig=abc&b=c: Server returned 403", "https://h/a.mp4?***: Server returned 403"},
		"quoted":      {"'https://u@h/a?s=1' and 'https://h/b?s=2'", "'https://***@h/a?***' and 'https://h/b?***'"},
		"no password": {"http://host/a@b: refused", "http://host/a@b: refused"},
		"a port":      {"http://host:80/a@b: refused", "http://host:80/a@b: refused"},
		"slash in it": {"http://user:pa/ss@host/a: refused", "http://***@host/a: refused"},
		"one slash":   {"open https:/user:pass@host/a: no such file", "open https:/***@host/a: no such file"},
		"fragment":    {"https://h/a.mp4#token: refused", "https://h/a.mp4#***: refused"},
		"stream key":  {"rtmps://h/live/abcd-efgh: refused", "rtmps://h/live/***: refused"},
		"header":      {"request: Authorization: Basic dXNlcjpwYXNz", "request: Authorization: ***"},
		"own header":  {"X-Api-Key: abc", "X-Api-Key: ***"},
		"cookie":      {"Set-Cookie: id=abc; path=/", "Set-Cookie: ***"},
		"bearer":      {"sent Bearer abc.def.ghi to it", "sent Bearer *** to it"},
		"assignment":  {"rtmp://h/app pubUser=u pubPasswd=abc token=def", "rtmp://h/app pubUser=u pubPasswd=*** token=***"},
		"JSON":        {`{"access_token": "abc"}`, `{"access_token": ***}`},
		"no secret":   {"keyint=250 pass=yes-that-one-is tokens: 5", "keyint=250 pass=*** tokens: 5"},
	}
	for name, tt := range tests {
		if got := clean(tt.line); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func FuzzLog(f *testing.F) {
	f.Add("[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] [error] moov atom not found\r\n[error] a.mp4: Invalid data found when processing input\n")
	f.Add("[fatal] Stream map '0:v:4' matches no streams.\nTo ignore this, add a trailing '?' to the map.")
	f.Add("[http @ 0x1] [error] Protocol 'http' not on whitelist 'file'!\n\x00\xff https://u:p@h/?q")
	f.Add(strings.Repeat("x", 3*maxLogLine) + "\n" + strings.Repeat("[error] y: Broken pipe\n", 500))
	types := map[string]bool{"": true}
	for _, r := range rules {
		types[r.errorType] = true
	}
	f.Fuzz(func(t *testing.T, log string) {
		whole, pieces := newLogTail(), newLogTail()
		_, _ = whole.Write([]byte(log))
		for i := range len(log) {
			_, _ = pieces.Write([]byte{log[i]})
		}
		tail := whole.tail()
		if tail != pieces.tail() || whole.verdict != pieces.verdict {
			t.Errorf("it matters how the log comes: %q or %q", tail, pieces.tail())
		}
		if len(tail) > maxLogTail || len(whole.decisive()) > maxBrief+len("…") || !utf8.ValidString(tail+whole.decisive()+whole.lastWords()) {
			t.Errorf("unfit tail of %d bytes, or line %q", len(tail), whole.decisive())
		}
		for _, r := range tail + whole.decisive() + whole.lastWords() {
			if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
				t.Errorf("%q in the tail", r)
			}
		}
		if !types[whole.verdict.errorType] {
			t.Errorf("type %q", whole.verdict.errorType)
		}
	})
}
