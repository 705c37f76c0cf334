package livepage

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// The files of lit-html 3.3.3, as its package has them.
var vendored = map[string]string{
	"LICENSE":              "2b66f9390afde29edfe4314daff93f01fb182e1178053e228120178987e5db75",
	"lit-html.js":          "b878e7f95dec8a9b6e9b217faca6b6a11bad82ebc44c0caa77419ed83edd81f2",
	"directive.js":         "3344c4f41c69cd0701d3937e8f9ef90bd845614bf6456d0b8314b7c51d415b9d",
	"directive-helpers.js": "f7fb1154b8f72ed2cc08b05eaeed71c99270e9ad2d48620ed24688a1af4c2b62",
	"directives/repeat.js": "083140026ecd8665fedd15b17769f9d516252a9f1502f1e91e6967686ee82626",
}

func TestVendoredFilesAreAsPublished(t *testing.T) {
	found := 0
	err := fs.WalkDir(pageFiles, "page/lib", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := pageFiles.ReadFile(name)
		if err != nil {
			return err
		}
		found++
		sum := sha256.Sum256(text)
		want := vendored[strings.TrimPrefix(name, "page/lib/lit-html/")]
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s has SHA-256 %s, want %q", name, got, want)
		}
		return nil
	})
	if err != nil || found != len(vendored) {
		t.Errorf("found %d files, want %d; error %v", found, len(vendored), err)
	}
}

func TestStylesAreTight(t *testing.T) {
	files := fstest.MapFS{"a.css": {Data: []byte("/* A list. */\ntr > :first-child, b { margin: 0 calc(1px + 2px); color: red; }\n@media (max-width: 9px) {\n  a { color: red; }\n}\n")}}
	const want = "tr > :first-child,b{margin:0 calc(1px + 2px);color:red}\n@media (max-width:9px){\na{color:red}\n}"
	if got, err := styles(files, "a.css"); string(got) != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestPageIsSmall(t *testing.T) {
	const most = 25_000
	sum := 0
	for at, f := range readFiles() {
		sum += len(f.packed)
		t.Logf("%6d %s", len(f.packed), at)
	}
	if sum > most {
		t.Errorf("the page has %d bytes packed, more than %d", sum, most)
	}
}

func TestPageNeedsOnlyWhatIsServed(t *testing.T) {
	all := readFiles()
	var names []string
	for at := range all {
		names = append(names, at)
	}
	slices.Sort(names)
	want := []string{
		"/", "/live/app.js", "/live/lib/lit-html/directive-helpers.js", "/live/lib/lit-html/directive.js",
		"/live/lib/lit-html/directives/repeat.js", "/live/lib/lit-html/lit-html.js", "/live/style.css",
	}
	if !slices.Equal(names, want) {
		t.Fatalf("served are %q, want %q", names, want)
	}
	for _, at := range []string{"/", "/live/app.js", "/live/style.css"} {
		text := string(all[at].plain)
		for _, foreign := range []string{"http://", "https://", "//cdn", "@import"} {
			if strings.Contains(strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""), foreign) {
				t.Errorf("%s has %s: nothing is fetched from elsewhere", at, foreign)
			}
		}
	}
}
