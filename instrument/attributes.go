package instrument

import "go.opentelemetry.io/otel/attribute"

// Attributes of spans. No metric carries an id.
const (
	jobIDKey     = attribute.Key("video.processing.job.id")
	jobStatusKey = attribute.Key("video.processing.job.status")
	attemptKey   = attribute.Key("video.processing.job.attempt")
	attemptsKey  = attribute.Key("video.processing.job.max_attempts")
	outcomeKey   = attribute.Key("video.processing.outcome")
	costKey      = attribute.Key("video.processing.cost_usd")
	videoKey     = attribute.Key("video.processing.video.duration_s")
	stageKey     = attribute.Key("video.processing.stage")
	apiKey       = attribute.Key("video.processing.api")
	unpricedKey  = attribute.Key("video.processing.unpriced")   // of a call: why its cost is unknown
	callsOpenKey = attribute.Key("video.processing.calls_open") // of a job: its calls that had not ended when it did
	stalledKey   = attribute.Key("video.processing.stalled_s")  // of the event "stage stalled": the time without progress
	usualKey     = attribute.Key("video.processing.usual_s")    // of the event "stage overdue": the median of earlier runs
	afterJobKey  = attribute.Key("video.processing.after_job")  // of a call: it ended after its job
)

// Values of the attribute stage of an error that happened in no stage.
const (
	jobStage = "job"  // in a job
	noStage  = "none" // in no job either
)
