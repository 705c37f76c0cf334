package aihttp_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// A request for a websocket is no call and holds nothing, whatever the host: it passes, and the body
// of its answer can be written to.
func TestAWebsocketIsNoCall(t *testing.T) {
	echo := func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString(line)
		_ = rw.Flush()
	}
	own := aihttp.WithReader("live.example", "live", func(aihttp.Exchange) (price.Usage, error) { return price.Usage{}, nil })
	for _, url := range []string{"https://api.openai.com/v1/realtime?model=gpt-realtime", "https://api.openai.com/v1/responses/resp_1", "https://api.deepgram.com/v1/listen", "https://live.example/v1"} {
		p, rec := instrumenttest.New(t)
		f := newFake(t, echo, own)
		ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar))
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
		resp, err := f.client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		body, ok := resp.Body.(io.ReadWriteCloser)
		if !ok {
			t.Errorf("%s: the body is a %T", url, resp.Body)
			continue
		}
		_, _ = io.WriteString(body, "hello\n")
		if line, err := bufio.NewReader(body).ReadString('\n'); line != "hello\n" || err != nil {
			t.Errorf("%s: %q, %v", url, line, err)
		}
		_ = body.Close()
		job.End(nil)
		if got := rec.Counter(vp("api_calls_total")); got != 0 {
			t.Errorf("%s: %v calls", url, got)
		}
	}
}

// A request that offers HTTP/2 beside is answered as any other, and is a call.
func TestAnOfferOfHTTP2IsACall(t *testing.T) {
	p, _ := instrumenttest.New(t)
	f := newFake(t, says(200, "application/json", chatText))
	ctx, job := p.StartJob(t.Context(), "job")
	defer job.End(nil)
	if _, err := f.post(ctx, chatURL, chatBody, "Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c"); err != nil || job.Cost() != chatCost {
		t.Errorf("cost %v, %v", job.Cost(), err)
	}
}
