package fake

import (
	"fmt"
	"net/http"
)

// anthropicMessages bills the system prompt as a write to the cache the first time, and as a read
// from it later: input_tokens has neither.
func anthropicMessages(w http.ResponseWriter, r *http.Request, kept bool) {
	var asked struct {
		Model  string
		Stream bool
	}
	if !decode(w, r, &asked) {
		return
	}
	cache := `"cache_creation_input_tokens":4600,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":4600,"ephemeral_1h_input_tokens":0}`
	if kept {
		cache = `"cache_creation_input_tokens":0,"cache_read_input_tokens":4600,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}`
	}
	message := func(content string, output int) string {
		return fmt.Sprintf(`{"id":"msg_1","type":"message","role":"assistant","model":"%s-20251001","content":[%s],"stop_reason":null,`+
			`"usage":{"input_tokens":21,%s,"output_tokens":%d,"service_tier":"standard"}}`, asked.Model, content, cache, output)
	}
	if !asked.Stream {
		answer(w, message(`{"type":"text","text":"Late Boat"}`, 6))
		return
	}
	events(w,
		`{"type":"message_start","message":`+message("", 1)+`}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"A boat is late,"}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" and the harbor waits."}}`,
		`{"type":"content_block_stop","index":0}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":14}}`,
		`{"type":"message_stop"}`)
}
