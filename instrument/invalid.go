package instrument

import "github.com/stagemeter/stagemeter/semconv"

// invalidValue is a value that could not be recorded: the OpenTelemetry name of its metric, and
// why.
type invalidValue struct {
	metric string
	reason semconv.InvalidReason
}

// invalidHandles has every invalid value that there can be, so that its series begins at 0.
var invalidHandles = func() map[invalidValue]addOptions {
	const (
		nan        = semconv.InvalidReasonNaN
		inf        = semconv.InvalidReasonInf
		negative   = semconv.InvalidReasonNegative
		outOfRange = semconv.InvalidReasonOutOfRange
		badName    = semconv.InvalidReasonBadName
		badFormat  = semconv.InvalidReasonBadFormat
	)
	m := make(map[invalidValue]addOptions)
	for metric, reasons := range map[string][]semconv.InvalidReason{
		semconv.JobsName:                {badName},
		semconv.JobRatioName:            {negative},
		semconv.AttemptsName:            {outOfRange},
		semconv.QueueWaitName:           {semconv.InvalidReasonClockSkew, badFormat, outOfRange},
		semconv.DurationName:            {badName},
		semconv.RatioName:               {negative},
		semconv.CostName:                {nan, inf, negative, badFormat},
		semconv.BudgetRemainingName:     {nan, inf, negative},
		semconv.APICallsName:            {badName},
		semconv.APIUnpricedName:         {badName},
		semconv.AudioLoudnessSpreadName: {nan, inf, negative, outOfRange, badName},
		semconv.AudioNormalizationName:  {nan, inf, outOfRange},
		semconv.SegmentsDetectedName:    {negative, outOfRange},
		semconv.StageProgressName:       {nan, inf, negative},
		semconv.HighlightScoresName:     {nan, inf, negative, outOfRange},
		semconv.DatabaseConnectionsName: {badName},
		semconv.RedisConnectionsName:    {badName},
	} {
		for _, reason := range reasons {
			m[invalidValue{metric, reason}] = addOptions{withAttrs(semconv.AttrMetric.String(metric), reason.Attr())}
		}
	}
	return m
}()
