package livepage

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A joiner joins the page's own modules into one: a browser then makes one request instead of
// twenty, and receives half as much. Each module becomes a function that returns what the module
// exports, after those that it imports. Indentation and comments, types among them, are left out.
//
// It accepts only modules in which an import is one line and renames nothing, an export is the
// declaration of a function or a const, and imports have no cycle; all others are an error. It does
// not notice a template that contains what looks like a comment: there must be none.
//
// Modules below lib/ are vendored. They stay imports, or, with whole, become functions too.
type joiner struct {
	files    fs.FS
	whole    bool
	vendored map[string][]string // the names that are imported of each module below lib/
	order    []string            // of vendored
	number   map[string]int      // of each module; 0 until it is done
	done     int
	out      strings.Builder
}

var (
	remark     = regexp.MustCompile(`/\*\* @type \{.*?\} \*/ ?|(?:^| )// .*`)
	importLine = regexp.MustCompile(`^import \{ (\w+(?:, \w+)*) \} from "([^"]+)";$`)
	exportLine = regexp.MustCompile(`^export ((?:async )?function|const) (\w+)`)

	// Of a vendored module, which is minified.
	vendoredImport = regexp.MustCompile(`\bimport\{([\w$, ]+)\}from"([^"]+)";`)
	vendoredExport = regexp.MustCompile(`\bexport\{([\w$, ]+)\};`)
	vendoredRest   = regexp.MustCompile(`\b(?:import|export)\b`)
	sourceMap      = regexp.MustCompile(`(?m)^//# sourceMappingURL=.*\n?`)
)

// joinModules returns the module name joined with all that it imports, except for what is below
// lib/.
func joinModules(files fs.FS, name string) ([]byte, error) { return joinAs(files, name, false) }

// joinWhole returns the module name joined with all that it imports, so that it imports nothing.
func joinWhole(files fs.FS, name string) ([]byte, error) { return joinAs(files, name, true) }

func joinAs(files fs.FS, name string, whole bool) ([]byte, error) {
	j := &joiner{files: files, whole: whole, vendored: make(map[string][]string), number: make(map[string]int)}
	if err := j.module(name); err != nil {
		return nil, fmt.Errorf("join %s: %w", name, err)
	}
	var head strings.Builder
	for _, from := range j.order {
		fmt.Fprintf(&head, "import { %s } from \"./%s\";\n", strings.Join(j.vendored[from], ", "), from)
	}
	return []byte(head.String() + j.out.String()), nil
}

func (j *joiner) module(name string) error {
	if n, seen := j.number[name]; seen {
		if n == 0 {
			return fmt.Errorf("%s imports itself", name)
		}
		return nil
	}
	j.number[name] = 0
	text, err := fs.ReadFile(j.files, name)
	if err != nil {
		return err
	}
	if strings.HasPrefix(name, "lib/") {
		return j.library(name, string(text))
	}
	var body strings.Builder
	var exports []string
	for _, line := range code(string(text)) {
		switch m := importLine.FindStringSubmatch(line); {
		case m != nil:
			if line, err = j.imported(path.Join(path.Dir(name), m[2]), m[1]); err != nil {
				return err
			}
		case strings.HasPrefix(line, "import "):
			return fmt.Errorf("%s: this import cannot be joined: %s", name, line)
		}
		if m := exportLine.FindStringSubmatch(line); m != nil {
			exports = append(exports, m[2])
			line = strings.TrimPrefix(line, "export ")
		} else if strings.HasPrefix(line, "export ") {
			return fmt.Errorf("%s: this export cannot be joined: %s", name, line)
		}
		if line != "" {
			body.WriteString(line + "\n")
		}
	}
	j.write(name, fmt.Sprintf("%sreturn { %s };\n", body.String(), strings.Join(exports, ", ")))
	return nil
}

// library writes a vendored module.
func (j *joiner) library(name, text string) error {
	text = sourceMap.ReplaceAllString(strings.ReplaceAll(text, "\r\n", "\n"), "")
	for _, m := range vendoredImport.FindAllStringSubmatch(text, -1) {
		from := path.Join(path.Dir(name), m[2])
		if err := j.module(from); err != nil {
			return err
		}
		names := strings.ReplaceAll(m[1], " as ", ":")
		text = strings.Replace(text, m[0], fmt.Sprintf("const{%s}=m%d;", names, j.number[from]), 1)
	}
	text = vendoredExport.ReplaceAllStringFunc(text, func(export string) string {
		names := strings.Split(vendoredExport.FindStringSubmatch(export)[1], ",")
		for i, n := range names {
			if local, exported, renamed := strings.Cut(n, " as "); renamed {
				names[i] = exported + ":" + local
			}
		}
		return "return{" + strings.Join(names, ",") + "};"
	})
	if rest := vendoredRest.FindString(text); rest != "" {
		return fmt.Errorf("%s: an %s cannot be joined", name, rest)
	}
	j.write(name, text)
	return nil
}

// write writes a module as a function with this body.
func (j *joiner) write(name, body string) {
	j.done++
	j.number[name] = j.done
	fmt.Fprintf(&j.out, "const m%d = (() => {\n%s})();\n", j.done, body)
}

// imported returns the line that replaces an import of names.
func (j *joiner) imported(from, names string) (string, error) {
	if strings.HasPrefix(from, "lib/") && !j.whole {
		if j.vendored[from] == nil {
			j.order = append(j.order, from)
		}
		for _, n := range strings.Split(names, ", ") {
			if !slices.Contains(j.vendored[from], n) {
				j.vendored[from] = append(j.vendored[from], n)
			}
		}
		return "", nil
	}
	if err := j.module(from); err != nil {
		return "", err
	}
	return fmt.Sprintf("const { %s } = m%d;", names, j.number[from]), nil
}

// code returns the lines of a script or a style sheet without comments and indentation.
func code(text string) (lines []string) {
	comment := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case comment:
			comment = !strings.HasSuffix(line, "*/")
		case strings.HasPrefix(line, "/*") && (strings.HasSuffix(line, "*/") || !strings.Contains(line, "*/")):
			comment = !strings.HasSuffix(line, "*/")
		default:
			if line = remark.ReplaceAllString(line, ""); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}
