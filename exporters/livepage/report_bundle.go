package livepage

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"strings"
	"sync"
)

// bundle has the parts that all reports share.
type bundle struct {
	style, script, policy string
	page                  *template.Template
}

var reportParts = sync.OnceValues(func() (bundle, error) {
	files, _ := fs.Sub(pageFiles, "page")
	return bundleOf(files)
})

// endOfElement matches what an inline script or style cannot contain.
var endOfElement = regexp.MustCompile(`(?i)</?script|</style|<!--`)

// bundleOf returns the style, the script and the template of a report.
func bundleOf(files fs.FS) (bundle, error) {
	style, err := styles(files, "style.css", "report.css")
	if err != nil {
		return bundle{}, fmt.Errorf("livepage: %w", err)
	}
	script, err := joinWhole(files, "report.js")
	if err != nil {
		return bundle{}, fmt.Errorf("livepage: %w", err)
	}
	license, err := fs.ReadFile(files, "lib/lit-html/LICENSE")
	if err != nil {
		return bundle{}, fmt.Errorf("livepage: %w", err)
	}
	page, err := template.ParseFS(files, "report.html")
	if err != nil {
		return bundle{}, fmt.Errorf("livepage: %w", err)
	}
	b := bundle{style: string(style), page: page}
	b.script = "/* lit-html:\n" + strings.ReplaceAll(string(license), "\r\n", "\n") + "*/\n" + string(script)
	if ends := endOfElement.FindString(b.script + b.style); ends != "" {
		return bundle{}, fmt.Errorf("livepage: the report's script or style has %q, which would end it", ends)
	}
	b.policy = "default-src 'none'; script-src " + hashOf(b.script) + "; style-src " + hashOf(b.style) + "; img-src data:; " +
		"base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
	return b, nil
}

// hashOf returns the source expression that allows an inline script or style with exactly this
// text.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
