package aihttp

import (
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// tools are what the provider's own tools have done for one answer, beside the tokens.
type tools struct {
	searches, fileSearches, images, containers int64
	container                                  string // the last one
	preview                                    bool   // the search is the older one, whose price differs
}

// itemFields are what is read of each item of a response's output.
var itemFields = [4]string{"type", "status", "action.type", "container_id"}

// gotTools is the path of the type of a tool that a response had.
const gotTools = 2*gotInner + 2*len(itemFields)

// withItems returns the tree of paths and of the items of a response's output and tools, for
// readOpenAIItem.
func withItems(paths ...string) *wire.Tree {
	for _, folder := range []string{"output.*.", "response.output.*."} {
		for _, field := range itemFields {
			paths = append(paths, folder+field)
		}
	}
	paths = append(paths, "tools.*.type", "response.tools.*.type")
	return wire.NewTree(paths...).Items("output.*").Items("response.output.*").Items("tools.*").Items("response.tools.*")
}

// readOpenAIItem takes an item of a response's output, or of its tools. A search of the web is charged, and to open a
// page of what it found is not.
func readOpenAIItem(x *exchange, v *wire.JSON) {
	of := func(field int) wire.Value {
		if inner := v.Value(2*gotInner + len(itemFields) + field); !inner.Null() {
			return inner
		}
		return v.Value(2*gotInner + field)
	}
	t := &x.tools
	for _, tool := range []wire.Value{v.Value(gotTools), v.Value(gotTools + 1)} {
		t.preview = t.preview || strings.HasPrefix(string(tool), `"web_search_preview`)
	}
	if of(1).Is("failed") {
		return
	}
	switch of(0).Text() {
	case "web_search_call":
		switch of(2).Text() {
		case "open_page", "find_in_page", "find":
		default:
			t.searches++
		}
	case "file_search_call":
		t.fileSearches++
	case "image_generation_call": // by another model, whose tokens no answer tells
		t.images++
	case "code_interpreter_call":
		if id := of(3).Text(); id == "" || id != t.container {
			t.containers++
			t.container = id
		}
	}
}

// addTools adds to the usage what the provider's tools have done.
func (x *exchange) addTools() {
	t := &x.tools
	for _, did := range [...]struct {
		unit price.Unit
		n    int64
	}{{price.WebSearch, t.searches}, {price.FileSearch, t.fileSearches}, {price.Images, t.images}, {price.Containers, t.containers}} {
		if did.n > 0 {
			x.usage.Add(did.unit, did.n)
		}
	}
	if t.preview && t.searches > 0 {
		x.usage.Variant = "web_search_preview"
	}
}

// openAIChatAsked takes that a model of OpenAI's that searches the web does so once for each call.
func openAIChatAsked(x *exchange) {
	openAIAsked(x)
	model := x.model
	if model == "" {
		model = x.askedModel
	}
	if x.hasUsage && (strings.Contains(model, "-search-preview") || strings.Contains(model, "-search-api")) {
		x.usage.Add(price.WebSearch, 1)
	}
}
