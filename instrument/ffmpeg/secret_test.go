package ffmpeg

import (
	"slices"
	"strings"
	"testing"
)

func TestSecretsOf(t *testing.T) {
	tests := map[string]struct{ args, want []string }{
		"none":        {[]string{"-i", "file:a.mp4", "-c", "copy", "-keyint_min", "250000", "-passlogfile", "two-pass"}, nil},
		"password":    {[]string{"-i", "http://user:pa55word@h/a"}, []string{"user:pa55word", "pa55word"}},
		"a token":     {[]string{"-i", "https://t0kent0ken@h/a"}, []string{"t0kent0ken"}},
		"escaped":     {[]string{"-i", "ftp://u:pa%2Fword@h/a"}, []string{"u:pa%2Fword", "pa%2Fword", "u:pa/word", "pa/word"}},
		"with slash":  {[]string{"-i", "http://user:pa/word@h/a"}, []string{"user:pa/word", "pa/word"}},
		"with space":  {[]string{"-i", "http://user:pa word@h/a"}, []string{"user:pa word", "pa word"}},
		"query":       {[]string{"-i", "https://h/a?X-Amz-Signature=abcdef&t=1&sv=abc%3D12"}, []string{"abc%3D12", "abc=12", "abcdef"}},
		"two URLs":    {[]string{"-i", "concat:http://a:first@h/|http://b:second@h/"}, []string{"a:first", "first", "b:second", "second"}},
		"headers":     {[]string{"-headers", "Authorization: Bearer abcdef\r\nX-Key: ghijkl\r\n", "-i", "x"}, []string{"Authorization: Bearer abcdef", "X-Key: ghijkl", "Bearer abcdef", "abcdef", "ghijkl"}},
		"keys":        {[]string{"-decryption_key", "0011223344", "-cenc_decryption_key", "5566778899", "-key", "aabbcc", "-iv", "ddeeff"}, []string{"0011223344", "5566778899", "aabbcc", "ddeeff"}},
		"passphrases": {[]string{"-passphrase:v", "passphrase-x", "-password", "password-y", "-ftp-password", "password-z", "-cookies", "id=session"}, []string{"passphrase-x", "password-y", "password-z", "id=session"}},
	}
	for name, tt := range tests {
		got := secretsOf(tt.args)
		for _, w := range tt.want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %q does not have %q", name, got, w)
			}
		}
		if tt.want == nil && got != nil {
			t.Errorf("%s: got %q", name, got)
		}
		if !slices.IsSortedFunc(got, func(a, b string) int { return len(b) - len(a) }) {
			t.Errorf("%s: not the longest first: %q", name, got)
		}
	}
}

// ffmpeg cuts long lines, and with them secrets.
func TestSecretThatIsCut(t *testing.T) {
	l := newLogTail()
	l.secrets = []string{strings.Repeat("s3cret", 100)}
	_, _ = l.Write([]byte("[error] " + strings.Repeat("x", 700) + strings.Repeat("s3cret", 100)))
	if tail := l.tail(); strings.Contains(tail, "s3cret") || !strings.HasSuffix(tail, "x***") {
		t.Errorf("%q", tail)
	}
}
