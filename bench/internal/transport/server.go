package transport

import (
	"bytes"
	"fmt"
	"net"
	"strings"
)

// question is the body of every request.
const question = `{"model":"gpt-4o","max_tokens":100,"messages":[{"role":"user","content":"What is to be seen in this scene?"}]}`

// What a provider answers: 400 tokens in and 100 out.
const (
	usage  = `"usage":{"prompt_tokens":400,"completion_tokens":100,"total_tokens":500}`
	answer = `{"id":"chatcmpl-1","object":"chat.completion","created":1767225600,"model":"gpt-4o-2024-08-06","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"A street in the rain."},"finish_reason":"stop"}],` + usage + `}`
	event = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1767225600,"model":"gpt-4o-2024-08-06",` +
		`"service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"
	lastEvents = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1767225600,"model":"gpt-4o-2024-08-06","choices":[],` +
		usage + "}\n\ndata: [DONE]\n\n"
)

// stream is an answer of 10 MB in events.
func stream() string { return strings.Repeat(event, (10<<20)/len(event)) + lastEvents }

// server answers every request on its connections with the same bytes. It allocates nothing
// meanwhile, so that only the client's allocations are counted.
type server struct {
	net.Listener
	answer []byte
}

func newServer(kind, text string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{l, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(text), text)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // it was closed
			}
			go s.serve(c)
		}
	}()
	return s, nil
}

func (s *server) serve(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 16<<10)
	for n := 0; ; {
		k, err := c.Read(buf[n:])
		if err != nil {
			return
		}
		if n += k; bytes.HasSuffix(buf[:n], []byte(question)) {
			n = 0
			if _, err := c.Write(s.answer); err != nil {
				return
			}
		}
	}
}

func (s *server) host() string { return s.Addr().String() }
