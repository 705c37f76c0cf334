package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// seed is a version of genai-prices.
type seed struct {
	providers []provider
	version   string
	day       string // on which it was published: nobody has seen its prices since
}

// provider, model and the like are what genai-prices has.
type provider struct {
	ID          string
	PricingURLs []string `json:"pricing_urls"`
	Models      []model
}

type model struct {
	ID      string
	Match   match
	Prices  json.RawMessage
	Context int64 `json:"context_window"`
}

type match struct {
	Or, And    []match
	Equals     string
	StartsWith string `json:"starts_with"`
	Regex      string
}

type conditional struct {
	Constraint *struct {
		Type  string
		Start string `json:"start_date"`
	}
	Prices map[string]json.RawMessage
}

type tiered struct {
	Base  json.Number
	Tiers []struct {
		Start int64
		Price json.Number
	}
}

// providers are those that are taken, with the names that OpenTelemetry has for them. What
// OpenRouter charges is in its answers; the others are resellers of the same models.
var providers = map[string]string{
	"anthropic": "anthropic", "aws": "aws.bedrock", "azure": "azure.ai.openai", "cerebras": "cerebras", "cohere": "cohere",
	"deepseek": "deepseek", "fireworks": "fireworks", "google": "gcp.gemini", "groq": "groq", "mistral": "mistral_ai",
	"moonshotai": "moonshot_ai", "openai": "openai", "perplexity": "perplexity", "together": "together", "voyageai": "voyageai",
	"x-ai": "x_ai",
}

// unit says where a price of genai-prices goes.
type unit struct{ per, name string }

var seedUnits = map[string]unit{
	"input_mtok": {"1M", "input"}, "output_mtok": {"1M", "output"}, "cache_read_mtok": {"1M", "cache_read"},
	"cache_write_mtok": {"1M", "cache_write_5m"}, "cache_write_1h_mtok": {"1M", "cache_write_1h"},
	"input_audio_mtok": {"1M", "input_audio"}, "output_audio_mtok": {"1M", "output_audio"}, "cache_audio_read_mtok": {"1M", "cache_read_audio"},
	"input_image_mtok": {"1M", "input_image"}, "output_image_mtok": {"1M", "output_image"}, "cache_image_read_mtok": {"1M", "cache_read_image"},
	"input_video_mtok": {"1M", "input_video"}, "output_video_mtok": {"1M", "output_video"},
	"web_searches_kcount": {"1000", "web_search"}, "storage_searches_kcount": {"1000", "file_search"}, "requests_kcount": {"1000", "requests"},
	"input_document_kpages": {"1000", "pages"}, "audio_hours": {"3600_seconds", "audio"}, "input_audio_hours": {"3600_seconds", "audio"},
}

// rowsOf returns the rows of a model. The notes tell what is left out, and why.
func rowsOf(p provider, m model, now time.Time) (rows []row, notes []string) {
	leave := func(format string, args ...any) {
		notes = append(notes, fmt.Sprintf("left out: %s %s: ", p.ID, m.ID)+fmt.Sprintf(format, args...))
	}
	var prices []conditional
	if json.Unmarshal(m.Prices, &prices) != nil {
		var one map[string]json.RawMessage
		if err := json.Unmarshal(m.Prices, &one); err != nil {
			leave("%v", err)
			return nil, notes
		}
		prices = []conditional{{Prices: one}}
	}
	aliases := names(m.Match)
	aliases = slices.DeleteFunc(aliases, func(s string) bool { return s == m.ID })
	for _, c := range prices {
		r := row{Provider: providers[p.ID], Model: m.ID, Aliases: aliases, MaxInput: m.Context}
		if p.ID == "google" && strings.HasPrefix(m.ID, "claude-") {
			r.Provider = "gcp.vertex_ai" // Google serves them there only
		}
		if c.Constraint != nil {
			if c.Constraint.Type != "start_date" {
				leave("its prices go by %s", c.Constraint.Type)
				return nil, notes
			}
			if r.From = c.Constraint.Start; r.From > now.Format(time.DateOnly) {
				leave("a price from %s on: write it into overrides.json when it holds", r.From)
				continue
			}
		}
		if err := r.set(c.Prices); err != nil {
			leave("%v", err)
			return nil, notes
		}
		if r.MaxInput <= r.Over {
			r.MaxInput = 0 // it is the context without the one that the threshold is for
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.From, b.From) })
	for i := range len(rows) - 1 {
		rows[i].To = rows[i+1].From
	}
	return rows, notes
}

// snapshot is an expression for snapshots of one name, which the table finds by itself.
var snapshot = regexp.MustCompile(`^\^([a-z0-9-]+(?:\\\.[a-z0-9-]+)*)-\\d\{4\}-\\d\{2\}-\\d\{2\}\$$`)

// names returns the exact names that a model matches. What it matches loosely is not taken.
func names(m match) (all []string) {
	switch {
	case m.Equals != "":
		all = append(all, strings.ToLower(m.Equals))
	case m.StartsWith != "" && !strings.ContainsAny(m.StartsWith[len(m.StartsWith)-1:], "-/@:"): // else it is no whole name
		all = append(all, strings.ToLower(m.StartsWith))
	case snapshot.MatchString(m.Regex):
		all = append(all, strings.ReplaceAll(snapshot.FindStringSubmatch(m.Regex)[1], `\.`, "."))
	}
	for _, o := range m.Or {
		all = append(all, names(o)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// set takes the prices of genai-prices.
func (x *row) set(prices map[string]json.RawMessage) error {
	if len(prices) == 0 {
		return fmt.Errorf("it has no price")
	}
	free := true
	for _, name := range slices.Sorted(maps.Keys(prices)) {
		text := prices[name]
		u, ok := seedUnits[name]
		if !ok {
			return fmt.Errorf("%s is no unit of ours", name)
		}
		var t tiered
		if json.Unmarshal(text, &t.Base) != nil {
			if err := json.Unmarshal(text, &t); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if zero(t.Base) && len(t.Tiers) == 0 {
			continue
		}
		free = false
		if err := put(&x.Per, u, t.Base); err != nil {
			return err
		}
		if len(t.Tiers) > 1 {
			return fmt.Errorf("%s has %d thresholds", name, len(t.Tiers))
		}
		for _, over := range t.Tiers {
			start := over.Start
			if start%1000 == 999 { // the vendors say above 272K, genai-prices from 272,000 on
				start++
			}
			if x.Over != 0 && x.Over != start {
				return fmt.Errorf("it has two thresholds")
			}
			x.Over = start
			if err := put(&x.OverPer, u, over.Price); err != nil {
				return err
			}
		}
	}
	x.Free = free
	return nil
}

func zero(n json.Number) bool {
	f, err := n.Float64()
	return err == nil && f == 0
}

func put(per *map[string]map[string]string, u unit, n json.Number) error {
	f, err := n.Float64()
	if err != nil || f <= 0 {
		return fmt.Errorf("%s costs %s", u.name, n)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if _, decimals, _ := strings.Cut(text, "."); len(decimals) > 9 {
		return fmt.Errorf("%s costs %s: too many decimals", u.name, n)
	}
	if *per == nil {
		*per = make(map[string]map[string]string)
	}
	if (*per)[u.per] == nil {
		(*per)[u.per] = make(map[string]string)
	}
	(*per)[u.per][u.name] = text
	return nil
}
