package secrets

import (
	"strings"
	"testing"
)

func TestHide(t *testing.T) {
	for _, tt := range []struct{ reason, text, want string }{
		{"nothing", "open /tmp/a: no such file", "open /tmp/a: no such file"},
		{"a mail address", "ask ops@example.com", "ask ops@example.com"},
		{"a password", "dial redis://user:hunter2@host:6379/0: refused", "dial redis://…@host:6379/0: refused"},
		{"a password with an at", `"redis://u:hunter2@x@host"`, `"redis://…@host"`},
		{"two passwords", "redis://a:hunter2@b and redis://c:hunter2@d", "redis://…@b and redis://…@d"},
		{"a password with a slash", "dial redis://u:hunter2/x@host:1", "dial redis://…@host:1"},
		{"spaces in quotes", `parse "redis://u:hunter2 x@host/0": invalid`, `parse "redis://…@host/0": invalid`},
		{"a quote in quotes", `parse "redis://u:hun\"ter2@host/0": invalid`, `parse "redis://…@host/0": invalid`},
		{"spaces without quotes", "cannot parse redis://u:hunter2 x@host: refused", "cannot parse redis://…@host: refused"},
		{"a port, and a mail address", "https://host:4318: ask ops@example.com", "https://host:4318: ask ops@example.com"},
		{"no scheme", `parse "u:hunter2 x@host/0": first path segment`, `parse "…@host/0": first path segment`},
		{"a mail address after a URL", "https://host/v is away, ask ops@example.com", "https://host/v is away, ask ops@example.com"},
		{"lines after a URL", "https://host/v\nin main.f(\n/go/pkg/mod/x@v1.2/a.go", "https://host/v\nin main.f(\n/go/pkg/mod/x@v1.2/a.go"},
		{"a URL in quotes and a mail address", `open "https://host/v": "a@b" refused`, `open "https://host/v": "a@b" refused`},
		{"a key in a query", "Get https://host/v?key=hunter2: EOF", "Get https://host/v?… EOF"},
		{"a port that is none", "http://host:hunter2 is none", "http://host:… is none"},
		{"a value of YAML", "cannot unmarshal !!str `hunter2` into int", "cannot unmarshal !!str `…` into int"},
	} {
		if got := Hide(tt.text); got != tt.want {
			t.Errorf("%s: Hide(%q) = %q, want %q", tt.reason, tt.text, got, tt.want)
		}
	}
}

func TestHideInName(t *testing.T) {
	for _, tt := range []struct{ reason, name, want string }{
		{"no URL", "a?key=b@c:d", "a?key=b@c:d"},
		{"a harmless query", "https://host/watch?v=5&t=1#at", "https://host/watch?v=5&t=1#at"},
		{"an at in the path", "https://host/film@2x.mp4", "https://host/film@2x.mp4"},
		{"a password", "https://user:hunter2@host/film.mp4", "https://…@host/film.mp4"},
		{"a password with an at", "https://user:hunter2@hunter2@host/a", "https://…@host/a"},
		{"harmless words", "https://h/a?author=b&design=c&keyword=d&keyframes=5", "https://h/a?author=b&design=c&keyword=d&keyframes=5"},
		{"keys", "https://h/a?key=hunter2&apiKey=hunter2&AWSAccessKeyId=hunter2&auth=hunter2&key1=hunter2", "https://h/a?key=…&apiKey=…&AWSAccessKeyId=…&auth=…&key1=…"},
		{"a presigned URL", "s3://b/o?X-Amz-Credential=hunter2&X-Amz-Date=1&X-Amz-Signature=hunter2", "s3://b/o?X-Amz-Credential=…&X-Amz-Date=1&X-Amz-Signature=…"},
		{"a shared access signature", "https://a/b?sv=1&sig=hunter2%3D", "https://a/b?sv=1&sig=…"},
		{"a token in the fragment", "https://a/b#access_token=hunter2", "https://a/b#access_token=…"},
	} {
		if got := HideInName(tt.name); got != tt.want {
			t.Errorf("%s: HideInName(%q) = %q, want %q", tt.reason, tt.name, got, tt.want)
		}
	}
}

func TestHugeName(t *testing.T) {
	name := "https://host/" + strings.Repeat("?key=hunter2", 1<<16)
	if got := HideInName(name); len(got) > maxName || strings.Contains(got, "hunter2") {
		t.Errorf("%d bytes are shown", len(got))
	}
}
