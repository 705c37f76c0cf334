package aihttp

import (
	"net/http"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// aws is the host of all services of AWS; the first name in the host tells them apart.
var aws = &provider{name: "aws", hosts: []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"}, endpoint: func(r *http.Request) *endpoint {
	switch service, _, _ := strings.Cut(r.URL.Host, "."); service {
	case "bedrock-runtime", "bedrock-runtime-fips", "bedrock-mantle":
		return bedrock.endpoint(r)
	case "transcribe", "transcribe-fips", "fips":
		return awsTranscribe.endpoint(r)
	}
	return nil
}}

// awsRegion returns the region of a host such as transcribe.us-east-1.amazonaws.com.
func awsRegion(host string) string {
	names := strings.Split(strings.TrimPrefix(host, "fips."), ".")
	if len(names) > 3 {
		return names[1]
	}
	return ""
}

// awsTranscribeLeast is what AWS bills for a transcription at least.
const awsTranscribeLeast = 15 * time.Second

// awsTranscribe bills seconds of audio, and two channels once. No answer tells the length: without
// [WithUsage] around the request that starts the job, or around a poll, the job is unpriced.
var awsTranscribe = func() *provider {
	job := func(kind, field string) (create, poll *endpoint) {
		read := func(x *exchange, v *wire.JSON) {
			state := jobPending
			switch v.Value(1).Text() {
			case "COMPLETED":
				state = jobDone
			case "FAILED":
				state = jobFailed
			}
			if name := v.Value(0).Text(); name != "" {
				x.is(x.url.Host+" "+kind+" "+name+" "+string(v.Value(2)), state) // the user chooses names, and may use one again
			}
			x.region = awsRegion(x.url.Host)
		}
		asked := func(x *exchange) {
			x.askedModel, x.extras = kind, nil
			if string(x.sentValue(0)) != "" {
				x.extras = append(x.extras, "content-redaction")
			}
			if !x.sentValue(1).Null() {
				x.extras = append(x.extras, "custom-language-model")
			}
			if !x.sentValue(2).Null() {
				x.extras = append(x.extras, "toxicity-detection")
			}
			x.hinted()
			x.atLeast(price.Audio, awsTranscribeLeast)
		}
		answer := wire.NewTree(field+"."+field+"Name", field+"."+field+"Status", field+".CreationTime")
		create = &endpoint{
			provider: "aws.transcribe", operation: "transcription", job: true, answer: answer, read: read, asked: asked, least: awsTranscribeLeast,
			request: wire.NewTree("ContentRedaction", "ModelSettings.LanguageModelName", "ToxicityDetection"),
		}
		poll = &endpoint{
			provider: "aws.transcribe", operation: "transcription", job: true, poll: true, answer: answer, read: read,
			asked: func(x *exchange) {
				x.askedModel = kind
				x.hinted()
				x.atLeast(price.Audio, awsTranscribeLeast)
			},
		}
		return create, poll
	}
	targets := make(map[string]*endpoint)
	for kind, field := range map[string]string{
		"standard": "TranscriptionJob", "medical": "MedicalTranscriptionJob", "call-analytics": "CallAnalyticsJob", "medical-scribe": "MedicalScribeJob",
	} {
		targets["Start"+field], targets["Get"+field] = job(kind, field)
	}
	return &provider{name: "aws.transcribe", endpoint: func(r *http.Request) *endpoint {
		target := r.Header.Get("X-Amz-Target")
		return targets[target[strings.LastIndexByte(target, '.')+1:]]
	}}
}()
