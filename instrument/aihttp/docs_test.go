package aihttp

import (
	"os"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/price"
)

// A user finds each name that a metric, a table or an error may have on the page about costs.
func TestPageHasEveryName(t *testing.T) {
	text, err := os.ReadFile("../../docs/costs.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	names := []string{
		reasonFailed, reasonCutOff, reasonMalformed, reasonTooLarge, reasonEncoding, reasonUnpolled,
		string(price.UnknownModel), string(price.UnknownDate), string(price.UnknownTier), string(price.UnknownVariant),
		string(price.UnknownUnit), string(price.UnknownMultiplier), string(price.UnknownUsage),
	}
	for name, p := range byName {
		if p != aws { // of several services
			names = append(names, name)
		}
	}
	for unit := price.Unit(0); unit.Valid(); unit++ {
		name := unit.String()
		for _, modality := range []string{"_audio", "_image", "_video"} {
			name = strings.TrimSuffix(name, modality)
		}
		names = append(names, name)
	}
	for _, name := range names {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/costs.md does not have `%s`", name)
		}
	}
}
