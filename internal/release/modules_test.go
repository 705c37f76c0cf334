package release

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the top of the repository, seen from this package.
const root = "../.."

// rootModule is the path of the root module. The paths of all others begin with it.
const rootModule = "github.com/stagemeter/stagemeter"

// workshop are the folders of modules that are used in a clone and never tagged: their go.mod may replace the library by
// the folder beside them. Every other module is for users.
var workshop = []string{
	"bench", "e2e", "e2e/browser", "e2e/schemas", "e2e/servers/collector", "e2e/servers/prometheus", "examples",
	"examples/aicosts", "instrument/aihttp/sdktest", "tools",
}

// A goMod is what `go mod edit -json` prints of a go.mod.
type goMod struct {
	Module  struct{ Path string }
	Require []struct{ Path, Version string }
	Replace []struct{ Old, New struct{ Path string } }
}

func readGoMod(file string) (m goMod, err error) {
	out, err := exec.Command("go", "mod", "edit", "-json", file).Output()
	if err != nil {
		return m, fmt.Errorf("go mod edit -json %s: %w", file, err)
	}
	return m, json.Unmarshal(out, &m)
}

// moduleFolders returns the folders below dir that have a go.mod, from dir.
func moduleFolders(t *testing.T, dir string) []string {
	t.Helper()
	var folders []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case !d.IsDir() && d.Name() == "go.mod":
			folder, err := filepath.Rel(dir, filepath.Dir(path))
			folders = append(folders, filepath.ToSlash(folder))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// userModules returns the modules that a user gets, by folder.
func userModules(t *testing.T) map[string]goMod {
	t.Helper()
	modules := make(map[string]goMod)
	for _, folder := range moduleFolders(t, root) {
		if !slices.Contains(workshop, folder) {
			m, err := readGoMod(filepath.Join(root, folder, "go.mod"))
			if err != nil {
				t.Fatal(err)
			}
			modules[folder] = m
		}
	}
	return modules
}

// unusable returns why a user could not require a module: the go command ignores its replacements there, and 0.0.0 of a
// module of ours is never tagged.
func unusable(m goMod, users []string) []string {
	var reasons []string
	for _, r := range m.Replace {
		reasons = append(reasons, fmt.Sprintf("it replaces %s by %s", r.Old.Path, r.New.Path))
	}
	for _, r := range m.Require {
		switch ours := r.Path == rootModule || strings.HasPrefix(r.Path, rootModule+"/"); {
		case ours && strings.HasPrefix(r.Version, "v0.0.0"):
			reasons = append(reasons, fmt.Sprintf("it requires %s %s, which is not tagged", r.Path, r.Version))
		case ours && !slices.Contains(users, r.Path):
			reasons = append(reasons, fmt.Sprintf("it requires %s, which is not for users", r.Path))
		}
	}
	return reasons
}

func TestUserModulesCanBeRequired(t *testing.T) {
	modules := userModules(t)
	if modules["."].Module.Path != rootModule {
		t.Errorf("the root module is %q", modules["."].Module.Path)
	}
	var users []string
	for _, m := range modules {
		users = append(users, m.Module.Path)
	}
	for folder, m := range modules {
		for _, reason := range unusable(m, users) {
			t.Errorf("%s/go.mod: %s", folder, reason)
		}
		if want := strings.TrimSuffix(rootModule+"/"+folder, "/."); m.Module.Path != want {
			t.Errorf("the module in %s is %s, want %s", folder, m.Module.Path, want)
		}
	}
	for _, folder := range workshop {
		if _, err := os.Stat(filepath.Join(root, folder, "go.mod")); err != nil {
			t.Errorf("%s is no module: take it off the list", folder)
		}
	}
}

func TestUnusable(t *testing.T) {
	for _, tt := range []struct{ reason, text, want string }{
		{"as it should be", "require " + rootModule + " v0.1.0\nrequire example.com/x v0.0.0", ""},
		{"a replacement by a folder", "replace " + rootModule + " => ../", "it replaces"},
		{"a replacement of another's module", "replace example.com/x => example.com/fork v1.0.0", "it replaces"},
		{"a version that is a placeholder", "require " + rootModule + " v0.0.0", "not tagged"},
		{"a commit that is not tagged", "require " + rootModule + " v0.0.0-20260101000000-0123456789ab", "not tagged"},
		{"the workshop", "require " + rootModule + "/e2e v0.1.0", "not for users"},
	} {
		file := filepath.Join(t.TempDir(), "go.mod")
		if err := os.WriteFile(file, []byte("module "+rootModule+"/x\n\n"+tt.text+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := readGoMod(file)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(unusable(m, []string{rootModule}), "; ")
		if !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
	}
}

// RELEASING.md has every module.
func TestReleasingNamesEveryModule(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "RELEASING.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range moduleFolders(t, root) {
		if !strings.Contains(string(text), "`"+folder+"`") {
			t.Errorf("RELEASING.md does not have the module in `%s`", folder)
		}
	}
}
