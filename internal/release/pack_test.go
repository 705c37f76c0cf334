package release

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A proxy is a folder that GOPROXY=file://… takes modules from: https://go.dev/ref/mod#goproxy-protocol
type proxy struct{ dir string }

// add packs the module in folder as version. Its requirements of modules of ours become that version, too.
func (p proxy) add(folder, module, version string) error {
	goMod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return err
	}
	own := regexp.MustCompile(`(?m)^((?:require )?\s*` + regexp.QuoteMeta(rootModule) + `(?:/\S+)?) v\S+`)
	goMod = own.ReplaceAll(goMod, []byte("${1} "+version))
	files, err := moduleFiles(folder)
	if err != nil {
		return err
	}
	dir := filepath.Join(p.dir, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"list":            version + "\n",
		version + ".info": fmt.Sprintf(`{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, version),
		version + ".mod":  string(goMod),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	out, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	z := zip.NewWriter(out)
	for _, name := range files {
		content := goMod
		if name != "go.mod" {
			if content, err = os.ReadFile(filepath.Join(folder, name)); err != nil {
				return err
			}
		}
		w, err := z.Create(module + "@" + version + "/" + name)
		if err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	return z.Close()
}

// moduleFiles returns the files of the module in folder: without those of modules below it, and without what the tools
// keep in folders with a leading dot.
func moduleFiles(folder string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		if d.IsDir() {
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if err == nil || d.Name() == "vendor" || strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		name, err := filepath.Rel(folder, path)
		if d.Type().IsRegular() {
			files = append(files, filepath.ToSlash(name))
		}
		return err
	})
	return files, err
}

func TestPack(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module " + rootModule + "/x\n\nrequire (\n\t" + rootModule + " v0.1.0\n\texample.com/x v0.2.0 // indirect\n)\n",
		"x.go":   "package x\n", "sub/testdata/x.txt": "x", "nested/go.mod": "module nested\n", "nested/n.go": "package n\n",
		".cache/x": "x", "vendor/modules.txt": "x",
	} {
		path := filepath.Join(dir, "src", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p := proxy{filepath.Join(dir, "proxy")}
	if err := p.add(filepath.Join(dir, "src"), rootModule+"/x", "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	packed := filepath.Join(p.dir, filepath.FromSlash(rootModule), "x", "@v", "v1.2.3")
	goMod, err := os.ReadFile(packed + ".mod")
	if err != nil {
		t.Fatal(err)
	}
	const want = "module " + rootModule + "/x\n\nrequire (\n\t" + rootModule + " v1.2.3\n\texample.com/x v0.2.0 // indirect\n)\n"
	if string(goMod) != want {
		t.Errorf("go.mod is\n%s\nwant\n%s", goMod, want)
	}
	z, err := zip.OpenReader(packed + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	var names []string
	for _, f := range z.File {
		name, _ := strings.CutPrefix(f.Name, rootModule+"/x@v1.2.3/")
		names = append(names, name)
		if name == "go.mod" {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if text, _ := io.ReadAll(r); string(text) != want {
				t.Errorf("the packed go.mod is\n%s", text)
			}
		}
	}
	slices.Sort(names)
	if want := []string{"go.mod", "sub/testdata/x.txt", "x.go"}; !slices.Equal(names, want) {
		t.Errorf("packed %q, want %q", names, want)
	}
}
