package sdktest

import (
	"context"

	listen "github.com/deepgram/deepgram-go-sdk/v3/pkg/api/listen/v1/rest"
	speak "github.com/deepgram/deepgram-go-sdk/v3/pkg/api/speak/v1/rest"
	"github.com/deepgram/deepgram-go-sdk/v3/pkg/client/interfaces"
	listenclient "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/listen/v1/rest"
	speakclient "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/speak/v1/rest"
)

var deepgramOptions = &interfaces.PreRecordedTranscriptionOptions{Model: "nova-3"}

// deepgram returns Deepgram's client, which takes no HTTP client: it has one inside.
func (w wiring) deepgram() *listen.Client {
	c := listenclient.New("key", &interfaces.ClientOptions{})
	c.Transport = w.client.Transport
	return listen.New(c)
}

func (w wiring) deepgramSpeak(ctx context.Context, text string, options *interfaces.SpeakOptions) ([]any, error) {
	c := speakclient.New("key", &interfaces.ClientOptions{})
	c.Transport = w.client.Transport
	var sound interfaces.RawResponse
	_, err := speak.New(c).ToStream(ctx, text, options, &sound)
	return []any{sound.String()}, err
}
