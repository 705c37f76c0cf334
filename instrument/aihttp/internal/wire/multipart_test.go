package wire_test

import (
	"bytes"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
)

// form writes a form with a file, then fields.
func form(t testing.TB, file []byte, fields map[string]string) (contentType, text string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", "a.wav")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(file)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	_ = w.Close()
	return w.FormDataContentType(), b.String()
}

func TestForm(t *testing.T) {
	for name, file := range map[string]string{
		"small": "RIFFxxxx", "none": "", "line ends": "\r\n\r\n--\r\n-\r\n", "large": strings.Repeat("\r\n--", 10_000),
	} {
		contentType, text := form(t, []byte(file), map[string]string{"model": "whisper-1", "empty": "", "language": "de"})
		for _, n := range []int{1, 2, 7, 100, 4096, 1 << 20} {
			f := wire.NewForm(contentType, "model", "empty")
			pieces(f, text, n)
			if f.Fields["model"] != "whisper-1" || f.Fields["empty"] != "" || len(f.Fields) != 2 || f.File != int64(len(file)) || !strings.HasPrefix(file, string(f.Head)) {
				t.Errorf("%s in pieces of %d: %q, %d bytes", name, n, f.Fields, f.File)
			}
		}
	}
	for _, contentType := range []string{"", "application/json", "multipart/form-data", "multipart/form-data; boundary=" + strings.Repeat("x", 300)} {
		if wire.NewForm(contentType) != nil {
			t.Errorf("%q is a form", contentType)
		}
	}
	f := wire.NewForm("multipart/form-data; boundary=b", "model")
	pieces(f, "--b\r\nX: "+strings.Repeat("x", 1<<20), 512)
	pieces(f, "\r\n\r\n", 512)
	if len(f.Head) > 0 {
		t.Error("endless headers were kept")
	}
}

// Forms of clients that do not keep the rules are read, too.
func TestFormsOfAllKinds(t *testing.T) {
	const boundary = "multipart/form-data; boundary=gb"
	field := "\r\n--gb\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--gb--\r\n"
	for _, tt := range []struct{ kind, text string }{
		{`Multipart/Form-Data; charset=utf-8; Boundary="gb";`, field},
		{boundary, "--gb\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"b.wav\"\r\n\r\nxx" + field},
		{boundary, "--gb\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"; filename=\"b.wav\"\r\n\r\nxx" + field},
		{boundary, "--gb\r\nContent-Disposition: form-data; filename*=UTF-8''%e2%82%ac.wav; name=\"file\"\r\n\r\nxx" + field},
		{boundary, "--gb\r\ncontent-disposition:form-data;name=model\r\n\r\nwhisper-1\r\n--gb--"},
		{boundary, "preamble\r\n--gb  \r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name=\"model\";\r\n\r\nwhisper-1\r\n--gb--"},
		{boundary, "--gb\r\nContent-Disposition: form-data;\r\n name=\"model\"\r\n\r\nwhisper-1\r\n--gb--"},
		{boundary, "--gb\nContent-Disposition: form-data; name=\"model\"\n\nwhisper-1\n--gb--\n"},
	} {
		for _, n := range []int{1, 3, 1000} {
			f := wire.NewForm(tt.kind, "model")
			if pieces(f, tt.text, n); f.Fields["model"] != "whisper-1" {
				t.Errorf("%q in pieces of %d: %q", tt.text, n, f.Fields)
			}
		}
	}
}

func FuzzForm(f *testing.F) {
	f.Add([]byte("RIFF"), "whisper-1", uint8(3))
	f.Add([]byte("\r\n--"), "x", uint8(1))
	f.Fuzz(func(t *testing.T, file []byte, model string, size uint8) {
		contentType, text := form(t, file, map[string]string{"model": model})
		form := wire.NewForm(contentType, "model")
		pieces(form, text, int(size)+1)
		if want := model; len(model) <= 4096 && (form.Fields["model"] != want || form.File != int64(len(file))) {
			t.Errorf("%q, %d; want %q, %d", form.Fields["model"], form.File, want, len(file))
		}
		form = wire.NewForm("multipart/form-data; boundary=b", "model")
		pieces(form, string(file), int(size)+1) // garbage
	})
}
