package exporters

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What the formats allow where names are escaped.
var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

// A strictReader reads the text format, or OpenMetrics, and refuses what bends their rules: what follows a family's
// samples must be another family; a sample must fit the type; names, escapes and numbers must be well formed.
type strictReader struct {
	open    bool
	page    page
	current *family // whose lines these are
}

func readStrictly(body string, open bool) (page, error) {
	r := &strictReader{open: open, page: page{families: map[string]*family{}}}
	if open {
		var ends bool
		if body, ends = strings.CutSuffix(body, "# EOF\n"); !ends {
			return r.page, fmt.Errorf("no # EOF at the end")
		}
	}
	if !utf8.ValidString(body) {
		return r.page, fmt.Errorf("not UTF-8")
	}
	for line := range strings.Lines(body) {
		if err := r.line(line); err != nil {
			return r.page, fmt.Errorf("%w in %q", err, line)
		}
	}
	return r.page, nil
}

func (r *strictReader) line(line string) error {
	line, ends := strings.CutSuffix(line, "\n")
	if !ends {
		return fmt.Errorf("no end of the line")
	}
	if comment, ok := strings.CutPrefix(line, "# "); ok {
		return r.comment(comment)
	}
	return r.sample(line)
}

// comment reads # HELP, # TYPE or # UNIT.
func (r *strictReader) comment(line string) error {
	words := strings.SplitN(line, " ", 3)
	if len(words) < 3 || !metricName.MatchString(words[1]) {
		return fmt.Errorf("not a comment")
	}
	what, name, text := words[0], words[1], words[2]
	if r.current == nil || r.current.name != name || len(r.current.samples) > 0 {
		r.current = &family{name: name, samples: map[string]sample{}}
	}
	f := r.current
	switch what {
	case "HELP":
		help, rest, err := unescape(text, r.open, "")
		if err != nil || rest != "" || f.help != "" || f.typ != "" {
			return fmt.Errorf("bad help, %v", err)
		}
		f.help = strings.TrimLeft(help, " \t") // as Prometheus does
	case "UNIT":
		f.unit = text
	case "TYPE":
		if f.typ != "" {
			return fmt.Errorf("a type twice")
		}
		f.typ = text
		if !slices.Contains([]string{"counter", "gauge", "histogram"}, text) && !r.unknown(f) {
			return fmt.Errorf("type %q", text)
		}
		return r.begin(f)
	default:
		return fmt.Errorf("comment %q", what)
	}
	return nil
}

// unknown tells whether a family may be of the type unknown: OpenMetrics has no counter that is named just total.
func (r *strictReader) unknown(f *family) bool {
	return r.open && f.typ == "unknown" && f.name == "total"
}

// begin puts a family into the page, under its name in the text format. In OpenMetrics a counter and a gauge may have
// the same name: x_total and x in the text format. Its specification says no, its readers don't mind.
func (r *strictReader) begin(f *family) error {
	name := f.name
	if r.open && f.typ == "counter" {
		name += "_total"
	}
	if r.page.families[name] != nil {
		return fmt.Errorf("family %s twice", name)
	}
	r.page.families[name] = f
	r.page.order = append(r.page.order, name)
	return nil
}

// sample reads NAME{LABELS} VALUE # {LABELS} VALUE TIME.
func (r *strictReader) sample(line string) error {
	f := r.current
	if f == nil || f.typ == "" {
		return fmt.Errorf("a sample without a type")
	}
	end := strings.IndexAny(line, "{ ")
	if end < 0 || !metricName.MatchString(line[:end]) {
		return fmt.Errorf("no name")
	}
	s := sample{name: line[:end]}
	if !slices.Contains(f.names(r.open), s.name) {
		return fmt.Errorf("%s in a %s %s", s.name, f.typ, f.name)
	}
	var rest string
	var err error
	if s.labels, rest, err = readLabels(line[end:]); err != nil {
		return err
	}
	rest, exemplar, found := strings.Cut(rest, " # ")
	if found && (!r.open || f.typ == "gauge" || f.typ == "histogram" && !strings.HasSuffix(s.name, "_bucket")) {
		return fmt.Errorf("an exemplar")
	}
	value, ok := strings.CutPrefix(rest, " ")
	if !ok {
		return fmt.Errorf("no space")
	}
	if s.value, err = strconv.ParseFloat(value, 64); err != nil { // a time is not expected
		return err
	}
	if found {
		if s.exemplar, s.at, err = readExemplar(exemplar); err != nil {
			return err
		}
	}
	return f.add(s)
}

// names are those that the family's samples may have.
func (f *family) names(open bool) []string {
	switch {
	case f.typ == "histogram":
		return []string{f.name + "_bucket", f.name + "_sum", f.name + "_count"}
	case f.typ == "counter" && open:
		return []string{f.name + "_total"}
	}
	return []string{f.name}
}

// readExemplar reads {LABELS} VALUE TIME.
func readExemplar(text string) (exemplar string, at float64, err error) {
	labels, rest, err := readLabels(text)
	if err != nil || labels == nil {
		return "", 0, fmt.Errorf("an exemplar's labels: %v", err)
	}
	runes := 0
	for name, value := range labels {
		runes += utf8.RuneCountInString(name) + utf8.RuneCountInString(value)
		if strings.Contains(value, "\x00") {
			return "", 0, fmt.Errorf("an exemplar with a NUL")
		}
	}
	if runes > 128 {
		return "", 0, fmt.Errorf("an exemplar's labels have %d runes", runes)
	}
	words := strings.Split(rest, " ")
	if len(words) != 3 || words[0] != "" {
		return "", 0, fmt.Errorf("an exemplar's value and time: %q", rest)
	}
	value, err := strconv.ParseFloat(words[1], 64)
	if err != nil {
		return "", 0, err
	}
	at, err = strconv.ParseFloat(words[2], 64)
	if err != nil || at < 1e9 {
		return "", 0, fmt.Errorf("an exemplar's time: %q", words[2])
	}
	return fmt.Sprintf("%s %v", labelText(labels), value), at, nil
}

// readLabels reads {a="b",c="d"}, if it is there. nil: it isn't.
func readLabels(text string) (labels map[string]string, rest string, err error) {
	rest, ok := strings.CutPrefix(text, "{")
	if !ok {
		return nil, text, nil
	}
	labels = map[string]string{}
	for {
		name, after, found := strings.Cut(rest, `="`)
		if !found || !labelName.MatchString(name) || strings.HasPrefix(name, "__") {
			return nil, "", fmt.Errorf("label %q", name)
		}
		value, after, err := unescape(after, true, `"`)
		if err != nil {
			return nil, "", err
		}
		if _, twice := labels[name]; twice {
			return nil, "", fmt.Errorf("label %s twice", name)
		}
		labels[name] = value
		if rest, ok = strings.CutPrefix(after, "}"); ok {
			return labels, rest, nil
		}
		if rest, ok = strings.CutPrefix(after, ","); !ok {
			return nil, "", fmt.Errorf("after a label: %q", after)
		}
	}
}

// unescape reads up to an unescaped end, which it takes off, or all if there is none. Escaped are a backslash, a line
// break and, if so told, a quote.
func unescape(text string, quotes bool, end string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
			if i == len(text) {
				return "", "", fmt.Errorf("a backslash at the end")
			}
			switch c = text[i]; {
			case c == 'n':
				c = '\n'
			case c != '\\' && (c != '"' || !quotes):
				return "", "", fmt.Errorf("escape \\%c", c)
			}
			b.WriteByte(c)
		case end != "" && c == end[0]:
			return b.String(), text[i+1:], nil
		case c == '"' && quotes:
			return "", "", fmt.Errorf("a quote that is not escaped")
		default:
			b.WriteByte(c)
		}
	}
	if end != "" {
		return "", "", fmt.Errorf("no %s at the end of %q", end, text)
	}
	return b.String(), "", nil
}

// labelText is {a="b"}, sorted by names.
func labelText(labels map[string]string) string {
	if len(labels) == 0 {
		return ""
	}
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s=%q", name, labels[name])
	}
	return "{" + b.String() + "}"
}
