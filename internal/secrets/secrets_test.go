package secrets

import "testing"

func TestHide(t *testing.T) {
	for _, tt := range []struct{ reason, text, want string }{
		{"nothing", "open /tmp/a: no such file", "open /tmp/a: no such file"},
		{"a mail address", "ask ops@example.com", "ask ops@example.com"},
		{"a password", "dial redis://user:hunter2@host:6379/0: refused", "dial redis://…@host:6379/0: refused"},
		{"a password with an at", `"redis://u:hunter2@x@host"`, `"redis://…@host"`},
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
		{"a presigned URL", "s3://b/o?X-Amz-Credential=hunter2&X-Amz-Date=1&X-Amz-Signature=hunter2", "s3://b/o?X-Amz-Credential=…&X-Amz-Date=1&X-Amz-Signature=…"},
		{"a shared access signature", "https://a/b?sv=1&sig=hunter2%3D", "https://a/b?sv=1&sig=…"},
		{"a token in the fragment", "https://a/b#access_token=hunter2", "https://a/b#access_token=…"},
	} {
		if got := HideInName(tt.name); got != tt.want {
			t.Errorf("%s: HideInName(%q) = %q, want %q", tt.reason, tt.name, got, tt.want)
		}
	}
}
