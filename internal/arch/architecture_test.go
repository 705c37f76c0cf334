package arch

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const architecturePage = "docs/architecture.md"

var (
	fence    = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	link     = regexp.MustCompile(`\]\(([^)#]+)`)

	// A code span is a path if it ends with a slash or like a file.
	pathSpan = regexp.MustCompile(`^(\w[\w.-]*/)*(\w[\w-]*\.(go|md|yml|yaml|json|sh)|\w[\w.-]*/)$`)

	drawnNode  = regexp.MustCompile(`(\w+)\["([^"]+)"\]`)
	drawnArrow = regexp.MustCompile(`(\w+)\S* --> (\w+)`)
)

// readArchitecture returns the page without its fenced blocks, and the blocks that are pictures.
func readArchitecture(t *testing.T) (text string, pictures []string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, architecturePage))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range fence.FindAllStringSubmatch(string(content), -1) {
		if block[1] == "mermaid" {
			pictures = append(pictures, block[2])
		}
	}
	return fence.ReplaceAllString(string(content), ""), pictures
}

// namedPaths returns the paths in the code spans of a page, without a slash at the end.
func namedPaths(text string) map[string]bool {
	named := make(map[string]bool)
	for _, span := range codeSpan.FindAllStringSubmatch(text, -1) {
		if pathSpan.MatchString(span[1]) {
			named[strings.TrimSuffix(span[1], "/")] = true
		}
	}
	return named
}

func TestNamedPaths(t *testing.T) {
	got := namedPaths("`a/` `a/b.go` `c.md` | `job.End(&err)` `x/y` `jobs_total` `spent + held` `text/plain; x` `a/…/b.go`")
	for _, want := range []string{"a", "a/b.go", "c.md"} {
		if !got[want] {
			t.Errorf("%s is not found", want)
		}
		delete(got, want)
	}
	if len(got) > 0 {
		t.Errorf("these are no paths: %v", got)
	}
}

func TestArchitectureNamesWhatExists(t *testing.T) {
	text, _ := readArchitecture(t)
	named := namedPaths(text)
	if len(named) < 100 {
		t.Errorf("only %d paths", len(named))
	}
	for name := range named {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Errorf("%s names %s, which does not exist", architecturePage, name)
		}
	}
	for _, target := range link.FindAllStringSubmatch(text, -1) {
		if strings.Contains(target[1], "://") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, path.Dir(architecturePage), target[1])); err != nil {
			t.Errorf("%s links to %s, which does not exist", architecturePage, target[1])
		}
	}
}

// On the page a folder ends with a slash and a file does not.
func TestArchitectureEndsFoldersWithASlash(t *testing.T) {
	text, _ := readArchitecture(t)
	for _, span := range codeSpan.FindAllStringSubmatch(text, -1) {
		if !pathSpan.MatchString(span[1]) {
			continue
		}
		info, err := os.Stat(filepath.Join(root, span[1]))
		if err == nil && info.IsDir() != strings.HasSuffix(span[1], "/") {
			t.Errorf("%s: a folder ends with a slash and a file does not: %s", architecturePage, span[1])
		}
	}
}

func TestArchitectureNamesEveryFolder(t *testing.T) {
	text, _ := readArchitecture(t)
	named := namedPaths(text)
	folders := topFolders(t)
	if len(folders) < 30 {
		t.Errorf("only %d folders", len(folders))
	}
	for _, folder := range folders {
		if !named[folder] {
			t.Errorf("%s has no line for the folder %s", architecturePage, folder)
		}
	}
}

func TestArchitectureNamesEveryPackageOfTheLibrary(t *testing.T) {
	text, _ := readArchitecture(t)
	named := namedPaths(text)
	found := 0
	for _, p := range ownPackages(t) {
		if matchesAny(own("instrument/...", "exporters/...", "semconv/..."), p.ImportPath) {
			found++
			if !named[p.short()] {
				t.Errorf("%s has no line for package %s", architecturePage, p.short())
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d packages", found)
	}
}

// topFolders returns the folders of the first two levels, except hidden ones and those that
// .gitignore lists.
func topFolders(t *testing.T) []string {
	t.Helper()
	ignore, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	ignored := strings.Fields(string(ignore))
	var folders []string
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		switch {
		case name == "." || !d.IsDir():
			return nil
		case strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || slices.Contains(ignored, "/"+name+"/"):
			return fs.SkipDir
		}
		folders = append(folders, name)
		if strings.Contains(name, "/") {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// Every arrow of a picture is an import. Every import between the packages of a picture is an
// arrow, or a way over several arrows.
func TestPicturesShowTheImports(t *testing.T) {
	_, pictures := readArchitecture(t)
	if len(pictures) != 2 {
		t.Fatalf("%s has %d pictures of the arrows, want 2", architecturePage, len(pictures))
	}
	imports := ownImports(t)
	for _, picture := range pictures {
		for _, problem := range compareArrows(picture, imports) {
			t.Errorf("%s: %s", architecturePage, problem)
		}
	}
}

func TestCompareArrowsFindsDifferences(t *testing.T) {
	imports := map[string][]string{"a": {"b", "c"}, "b": {"c/d"}, "c": nil, "c/d": nil, "e": nil}
	for _, tt := range []struct {
		picture string
		want    []string
		reason  string
	}{
		{`a["a"] --> b["b"]` + "\n" + `b --> c["c/..."]`, nil, "the way from a to c leads over b"},
		{`a["a"] --> b["b"]` + "\n" + `c["c/..."] -.-> x(["X"])`, []string{"a imports c/...: no arrow", "b imports c/...: no arrow"}, "arrows are missing"},
		{`b["b"] --> a["a"]`, []string{"a imports b: no arrow", "the arrow from b to a is no import"}, "the wrong way round"},
		{`a["a"] --> b["b"]` + "\n" + `b --> d["c/d"]` + "\n" + `a --> c["c/..."]`, nil, "c/d is not of c/..., since it has a node of its own"},
		{`f["f"] --> a["a"]`, []string{"f: no such package", "the arrow from f to a is no import"}, "a package that is gone"},
	} {
		got := compareArrows(tt.picture, imports)
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q, want %q: %s", got, tt.want, tt.reason)
		}
	}
}

// ownImports returns the packages of this repository that each of them imports itself.
func ownImports(t *testing.T) map[string][]string {
	t.Helper()
	imports := make(map[string][]string)
	for _, p := range ownPackages(t) {
		var short []string
		for _, i := range p.Imports {
			if s, ok := strings.CutPrefix(i, module+"/"); ok {
				short = append(short, s)
			}
		}
		imports[p.short()] = short
	}
	return imports
}

// compareArrows returns the differences between a picture and the imports. The label of a node is a
// pattern of packages.
func compareArrows(picture string, imports map[string][]string) (problems []string) {
	label := make(map[string]string)
	for _, node := range drawnNode.FindAllStringSubmatch(picture, -1) {
		label[node[1]] = node[2]
	}
	drawn := make(map[string][]string)
	for line := range strings.Lines(picture) {
		if arrow := drawnArrow.FindStringSubmatch(line); arrow != nil {
			drawn[arrow[1]] = append(drawn[arrow[1]], arrow[2])
		}
	}
	// A package belongs to the node with the longest label that matches.
	belongs := func(node, name string) bool {
		if !matches(label[node], name) {
			return false
		}
		for _, other := range label {
			if len(strings.TrimSuffix(other, "/...")) > len(strings.TrimSuffix(label[node], "/...")) && matches(other, name) {
				return false
			}
		}
		return true
	}
	importing := func(from, to string) bool {
		for name, all := range imports {
			if belongs(from, name) && slices.ContainsFunc(all, func(i string) bool { return belongs(to, i) }) {
				return true
			}
		}
		return false
	}
	leads := func(from, to string) bool {
		reached := slices.Clone(drawn[from])
		for i := 0; i < len(reached); i++ {
			for _, next := range drawn[reached[i]] {
				if !slices.Contains(reached, next) {
					reached = append(reached, next)
				}
			}
		}
		return slices.Contains(reached, to)
	}
	for from := range label {
		exists := false
		for name := range imports {
			exists = exists || matches(label[from], name)
		}
		if !exists {
			problems = append(problems, label[from]+": no such package")
		}
		for to := range label {
			if from != to && importing(from, to) && !leads(from, to) {
				problems = append(problems, label[from]+" imports "+label[to]+": no arrow")
			}
		}
		for _, to := range drawn[from] {
			if !importing(from, to) {
				problems = append(problems, "the arrow from "+label[from]+" to "+label[to]+" is no import")
			}
		}
	}
	return problems
}
