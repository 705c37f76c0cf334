package speech

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func ask(t *testing.T, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return serve(scripted{}, r)
}

// events are the data of a stream's events.
func events(t *testing.T, answer *httptest.ResponseRecorder) (list []string) {
	t.Helper()
	if got := answer.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") {
		t.Fatalf("the answer is %s: %s", got, answer.Body)
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			list = append(list, data)
		} else if lines.Text() != "" {
			t.Errorf("the stream has the line %q", lines.Text())
		}
	}
	return list
}

func parsed(t *testing.T, text string) (a chatAnswer) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return a
}

const question = `"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"{\"transcript\":\"the cat sees a cat. the dog runs away.\",\"chapters\":[\"and the cat sees a big grey cat\",\"\"]}"}]`

// The model's titles and summary are words that it was given.
func TestCompletion(t *testing.T) {
	a := parsed(t, ask(t, `{"model":"m","unknown":1,`+question+`}`).Body.String())
	if len(a.Choices) != 1 || a.Choices[0].Message == nil || *a.Choices[0].FinishReason != "stop" || a.Model != "m" || a.Object != "chat.completion" {
		t.Fatalf("got %+v", a)
	}
	const want = `{"titles":["Cat sees a big grey cat","Without words"],"summary":"The cat sees a cat. The dog runs away."}`
	if got := a.Choices[0].Message.Content; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if u := a.Usage; u == nil || u.CompletionTokens != len(tokens(want)) || u.TotalTokens != u.PromptTokens+u.CompletionTokens {
		t.Errorf("the usage is %+v for %d tokens", u, len(tokens(want)))
	}
}

// A stream has one event for each token, and tells the usage only if it is asked for it.
func TestStream(t *testing.T) {
	whole := parsed(t, ask(t, `{"model":"m",`+question+`}`).Body.String())
	for _, usage := range []bool{false, true} {
		options := ""
		if usage {
			options = `"stream_options":{"include_usage":true},`
		}
		list := events(t, ask(t, `{"model":"m","stream":true,`+options+question+`}`))
		if last := list[len(list)-1]; last != "[DONE]" {
			t.Errorf("the last event is %s", last)
		}
		var text strings.Builder
		var told *chatUsage
		pieces := 0
		for _, data := range list[:len(list)-1] {
			a := parsed(t, data)
			if a.Usage != nil {
				told = a.Usage
				if len(a.Choices) != 0 || !strings.Contains(data, `"choices":[]`) {
					t.Errorf("the usage comes with %s", data)
				}
			}
			for _, c := range a.Choices {
				if c.Delta.Content != "" {
					pieces++
				}
				text.WriteString(c.Delta.Content)
			}
		}
		if text.String() != whole.Choices[0].Message.Content || pieces != whole.Usage.CompletionTokens {
			t.Errorf("%d pieces: %s", pieces, &text)
		}
		if usage && (told == nil || *told != *whole.Usage) || !usage && told != nil {
			t.Errorf("the usage is %+v, asked for %v", told, usage)
		}
	}
}

// An answer ends at its limit, and costs only what it has.
func TestLimit(t *testing.T) {
	for _, name := range []string{"max_tokens", "max_completion_tokens"} {
		a := parsed(t, ask(t, `{"model":"m","`+name+`":3,`+question+`}`).Body.String())
		if *a.Choices[0].FinishReason != "length" || a.Usage.CompletionTokens != 3 || a.Choices[0].Message.Content != `{"titles` {
			t.Errorf("%s 3 gives %q with %+v", name, a.Choices[0].Message.Content, a.Usage)
		}
	}
}

func TestChatRefusals(t *testing.T) {
	for _, test := range []struct {
		body   string
		status int
		param  string
	}{
		{`{`, 400, ""},
		{`{"messages":[{"role":"user","content":"x"}]}`, 400, "model"},
		{`{"model":"m","messages":[]}`, 400, "messages"},
		{`{"model":"m","n":2,` + question + `}`, 400, "n"},
		{`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, 400, ""},
		{`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("x", maxChat) + `"}]}`, 413, ""},
	} {
		checkError(t, ask(t, test.body), test.status, test.param)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader("x"))
	checkError(t, serve(scripted{}, r), 415, "")
}

// A word between sentences is no sentence of a summary.
func TestSummary(t *testing.T) {
	for text, want := range map[string]string{
		"mm\nit is very quiet\nhm\nthank you for watching": "It is very quiet. Thank you for watching.",
		"mm\nhm": "Mm. Hm.",
		"":       "",
	} {
		if got := summary(text); got != want {
			t.Errorf("summary(%q) = %q, want %q", text, got, want)
		}
	}
}

// The content of a message may be a list of parts.
func TestParts(t *testing.T) {
	a := parsed(t, ask(t, `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"A cat. "},{"type":"text","text":"A dog!"}]}]}`).Body.String())
	if got := a.Choices[0].Message.Content; got != "A cat. A dog." {
		t.Errorf("got %q", got)
	}
}

func TestTokens(t *testing.T) {
	for text, want := range map[string][]string{
		"":                {},
		"a cat":           {"a", " cat"},
		"demonstration ":  {"demons", "tratio", "n", " "},
		"it's  4k":        {"it", "'", "s", " ", " 4k"},
		"äöüßéè überall!": {"äöüßéè", " überal", "l", "!"},
	} {
		if got := tokens(text); !slices.Equal(got, want) {
			t.Errorf("tokens(%q) = %q, want %q", text, got, want)
		}
	}
}

// Whatever the question is, the tokens are its text and never more than its bytes, and there is an
// answer.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{"", "A cat. A dog.", `{"transcript":"a","chapters":["","b."]}`, "\xff .", `{"chapters":null}`, "null"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list := tokens(text)
		if strings.Join(list, "") != text || len(list) > len(text) {
			t.Errorf("%q has the tokens %q", text, list)
		}
		if a, b := reply(text), reply(text); a != b {
			t.Errorf("two answers: %q and %q", a, b)
		}
	})
}
