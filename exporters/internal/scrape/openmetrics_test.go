package scrape

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// openLine is a sample in OpenMetrics: name, labels, value; labels, value and time of the exemplar.
var openLine = func() *regexp.Regexp {
	const name, label = `[a-zA-Z_:][a-zA-Z0-9_:]*`, `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*"`
	const labels = `\{(` + label + `(?:,` + label + `)*)?\}`
	return regexp.MustCompile(`^(` + name + `)(?:` + labels + `)? (\S+)(?: # ` + labels + ` (\S+) (\S+))?$`)
}()

var openLabel = regexp.MustCompile(`([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"`)

// readOpenMetrics reads an answer in OpenMetrics, so that two can be compared. It is no judge of
// the format: end-to-end tests read the same programs' answers with Prometheus's own parser. It
// refuses only what that parser accepts: a family or a series that is there twice, and a sample in
// another family.
func readOpenMetrics(body string) (page, error) {
	p := page{families: map[string]*family{}}
	body, ends := strings.CutSuffix(body, "# EOF\n")
	if !ends || !utf8.ValidString(body) {
		return p, fmt.Errorf("no # EOF at the end, or not UTF-8")
	}
	var f *family
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if comment, ok := strings.CutPrefix(line, "# "); ok {
			words := strings.SplitN(comment, " ", 3)
			if len(words) < 3 {
				return p, fmt.Errorf("comment %q", line)
			}
			if f == nil || f.name != words[1] || len(f.samples) > 0 {
				f = &family{name: words[1], samples: map[string]sample{}}
			}
			switch words[0] {
			case "HELP":
				f.help = words[2]
			case "UNIT":
				f.unit = words[2]
			case "TYPE":
				f.typ = words[2]
				if err := p.add(f); err != nil {
					return p, err
				}
			default:
				return p, fmt.Errorf("comment %q", line)
			}
			continue
		}
		s, err := readOpenLine(line)
		if err == nil && (f == nil || !strings.HasPrefix(s.name, f.name)) {
			err = fmt.Errorf("in another family")
		}
		if err == nil {
			err = f.add(s)
		}
		if err != nil {
			return p, fmt.Errorf("%w: %q", err, line)
		}
	}
	return p, nil
}

// add adds a family, under its name in the text format. A counter and a gauge may have the same
// name in OpenMetrics: x_total and x in the text format.
func (p *page) add(f *family) error {
	name := f.name
	if f.typ == "counter" {
		name += "_total"
	}
	if p.families[name] != nil {
		return fmt.Errorf("family %s twice", name)
	}
	p.families[name] = f
	p.order = append(p.order, name)
	return nil
}

func readOpenLine(line string) (sample, error) {
	m := openLine.FindStringSubmatch(line)
	if m == nil {
		return sample{}, fmt.Errorf("not a sample")
	}
	s := sample{name: m[1]}
	var err, err2 error
	if s.labels, err = readLabels(m[2]); err != nil {
		return s, err
	}
	if s.value, err = strconv.ParseFloat(m[3], 64); err != nil || m[5] == "" {
		return s, err
	}
	labels, err := readLabels(m[4])
	if err != nil {
		return s, err
	}
	runes := 0
	for name, value := range labels {
		runes += utf8.RuneCountInString(name) + utf8.RuneCountInString(value)
	}
	if runes > 128 { // OpenMetrics's limit, which Prometheus's parser does not check
		return s, fmt.Errorf("an exemplar's labels have %d characters", runes)
	}
	value, err := strconv.ParseFloat(m[5], 64)
	s.at, err2 = strconv.ParseFloat(m[6], 64)
	if err != nil || err2 != nil || s.at < 1e9 {
		return s, fmt.Errorf("an exemplar's value %q and time %q", m[5], m[6])
	}
	s.exemplar = fmt.Sprintf("%s %v", labelText(labels), value)
	return s, nil
}

// readLabels reads a="b",c="d". No label may be there twice.
func readLabels(text string) (map[string]string, error) {
	labels := map[string]string{}
	for _, m := range openLabel.FindAllStringSubmatch(text, -1) {
		if _, twice := labels[m[1]]; twice {
			return nil, fmt.Errorf("label %s twice", m[1])
		}
		labels[m[1]] = openUnescaper.Replace(m[2])
	}
	return labels, nil
}

var openUnescaper = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")
