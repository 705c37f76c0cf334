package dashboards

// terminal are the statuses that decide about success. A job that its caller canceled is neither.
const terminal = `{status=~"completed|failed"}`

// pipelineAlerts marks the alerts that fire for programs that process videos, also while these are down.
const pipelineAlerts = `@@ALERTS{alertstate="firing", job=~"$job"} and on (job) ` +
	`group by (job) (last_over_time(@@jobs_in_progress{job=~"$job"}[1h]))`

// overview is the page to look at first.
func overview() dashboard {
	return newDashboard("overview", text{
		"stagemeter / Overview",
		"Jobs, their speed, cost, quality and errors, and the system below them.",
	}, append(pipelineVariables(), stageVariable()), pipelineAlerts,
		jobOverview(), performance(), costs(), quality(), errorOverview(), system())
}

func jobOverview() row {
	return row{title: "Job Overview", panels: []*panel{
		graph(text{
			"Jobs by status, per hour",
			"The area is what ended, by outcome. The lines are what was queued and started: a job passes several " +
				"statuses, so that these are not part of the stack.",
		}, "short", query{perHour("jobs", "status"), "{{status}}"}).
			stacked().unstack("queued").unstack("processing").size(12, 8),
		gauge(text{"Jobs in progress", "Jobs that have started and not ended, now; the dial ends at the most of this time."},
			"short", query{"sum(@jobs_in_progress) or vector(0)", "jobs"}).peak().decimals(0).size(4, 8),
		stat(text{
			"Success rate",
			"Completed jobs among those that completed or failed in this time. Canceled jobs count as neither.",
		}, "percentunit", query{
			`(sum(increase(@jobs{status="completed"}[$__range])) or vector(0)) / (` + inRange("jobs"+terminal) + " > 0)",
			"success",
		}).limits("red", limit{0.9, "orange"}, limit{0.95, "green"}).
			bounds(0, 1).decimals(1).empty("no job ended").size(4, 8),
		stat(text{"Oldest job", "Time since the start of the oldest job in progress."},
			"s", query{"max(time() - (@oldest_job_start_timestamp > 0))", "age"}).
			limits("green", limit{3600, "orange"}, limit{6 * 3600, "red"}).empty("no job in progress").size(4, 8),
		graph(text{"Job duration", "Time from the start to the end of a job, whatever its outcome."},
			"s", quantiles("job_duration", "")...).size(12, 8),
		graph(text{"Queue wait", "Time from when an attempt at a job could have been worked on to its start."},
			"s", quantiles("queue_wait", "")...).size(12, 8),
		graph(text{
			"Attempts by outcome, per hour",
			"Runs of jobs that ended. One that is retried, snoozed or interrupted goes on in another attempt.",
		}, "short", query{perHour("attempts", "outcome"), "{{outcome}}"}).stacked().size(8, 8),
		stat(text{"Retried", "Attempts that failed and were not the last, among those that completed or failed in any way."},
			"percentunit", query{
				`(sum(increase(@attempts{outcome="retried"}[$__range])) or vector(0)) / (` +
					inRange(`attempts{outcome=~"completed|failed|retried"}`) + " > 0)",
				"retried",
			}).limits("green", limit{0.1, "orange"}, limit{0.5, "red"}).
			bounds(0, 1).decimals(1).empty("no attempt ended").size(4, 8),
		graph(text{"Time to publish", "Time from the first enqueueing of a job to the end of the attempt that completed it."},
			"s", quantiles("time_to_publish", "")...).size(12, 8),
	}}
}

// asLine takes a series out of the stack and draws it as a line.
var asLine = []property{
	{"custom.stacking", stacking{Group: "A", Mode: "none"}},
	{"custom.fillOpacity", 0},
	{"custom.lineWidth", 2},
}

// unstack draws a series as a line, not in the stack.
func (p *panel) unstack(series string) *panel { return p.override(series, asLine...) }

// unstackLike does the same for the series whose names match a regular expression.
func (p *panel) unstackLike(pattern string) *panel {
	return p.overrideWhere(matcher{"byRegexp", pattern}, asLine)
}

// ratioLimit is where the alert HighProcessingRatio looks, too.
var ratioLimit = limit{1.8, "red"}

func performance() row {
	return row{title: "Performance", panels: []*panel{
		heatmap(text{"Processing time: $stage", "Runs of the stage by how long they took."},
			"s", "duration", `{stage=~"$stage"}`).repeat("stage").size(columns, 8),
		graph(text{
			"Processing ratio",
			"Duration of a stage divided by that of its video, over the chosen stages. Below 1 is faster than real time.",
		}, "short", quantiles("ratio", `{stage=~"$stage"}`)...).limits("green", ratioLimit).size(10, 8),
		graph(text{
			"Job ratio",
			"Duration of a whole job divided by that of its video. Below 1 is faster than real time.",
		}, "short", quantiles("job_ratio", "")...).limits("green", ratioLimit).size(10, 8),
		gauge(text{"FFmpeg processes", "ffmpeg processes that run now; the dial ends at the most of this time."},
			"short", query{"sum(@ffmpeg_processes) or vector(0)", "processes"}).peak().decimals(0).size(4, 8),
	}}
}

func costs() row {
	return row{title: "Costs", panels: []*panel{
		costPerHour().size(12, 8),
		costToday().size(4, 8),
		gauge(text{
			"Budget remaining",
			"The five jobs in progress with the least budget left. The page Cost lists all.",
		}, "currencyUSD", query{"bottomk(5, min by (job_id) " + live("budget_remaining") + ")", "{{job_id}}"}).
			limits("red", limit{0.1, "orange"}, limit{0.5, "green"}).empty("no job with a budget in progress").size(8, 8),
	}}
}

func quality() row {
	return row{title: "Quality", panels: []*panel{
		distribution(text{
			"Loudness spread before normalization",
			"Loudest minus quietest segment of a video, in loudness units (LU): how many videos, by the upper bound.",
		}, "audio_loudness_spread", `{phase="before"}`),
		distribution(text{
			"Loudness spread after normalization",
			"Loudest minus quietest segment of a video, in loudness units (LU): how many videos, by the upper bound.",
		}, "audio_loudness_spread", `{phase="after"}`),
		distribution(text{
			"Normalization gain",
			"Gain applied in decibels, negative where audio was made quieter: how often, by the upper bound.",
		}, "audio_normalization", ""),
		distribution(text{
			"Highlight scores",
			"Scores from 0 (dull) to 1 (best): how many highlights, by the upper bound.",
		}, "highlight_scores", "").size(12, 8),
		distribution(text{
			"Segments per video",
			"Segments found in a video: how many videos, by the upper bound.",
		}, "segments_detected", "").size(12, 8),
	}}
}

func errorOverview() row {
	return row{title: "Errors", panels: []*panel{
		graph(text{
			"Errors by stage, per hour",
			"An error that ended a job and was counted in none of its stages has the stage job.",
		}, "short", query{perHour(`errors{stage=~"$stage"}`, "stage"), "{{stage}}"}),
		graph(text{
			"Error rate by stage",
			"Errors for each run of the stage. A run can record several, so that it may pass 100 %.",
		}, "percentunit", query{errorRate("stage"), "{{stage}}"}).limits("green", limit{0.05, "red"}),
		errorTypes("Error types", "stage"),
	}}
}

// errorRate is errors for each run of a stage, by labels.
func errorRate(by string) string {
	return "sum by (" + by + `) (rate(@errors{stage=~"$stage"}[$__rate_interval])) / ` +
		"(sum by (" + by + `) (rate(@duration:count{stage=~"$stage"}[$__rate_interval])) > 0)`
}

// errorTypes lists the errors of the time range, the most frequent first.
func errorTypes(title, by string) *panel {
	columns := [][2]string{{"error_type", "Error type"}, {"Value", "Errors"}}
	if by != "" {
		columns = append([][2]string{{by, "Stage"}}, columns...)
		by += ", "
	}
	return table(text{title, "Errors in this time, by class. The class says what to look for; the trace has the text."},
		"short", columns, query{
			"sort_desc(sum by (" + by + "error_type) (" + grown(`@errors{stage=~"$stage"}`) + ") > 0)", "",
		}).decimals(0).empty("no errors")
}

func system() row {
	return row{title: "System", panels: []*panel{
		graph(text{"FFmpeg processes by instance", "ffmpeg processes that are running."},
			"short", query{"sum by (instance) (@ffmpeg_processes)", "{{instance}}"}).stacked().size(24, 8),
		connections("Database connections", "Open database connections", "database").size(12, 8),
		waits("Waits for a database connection", "database").size(12, 8),
		connections("Redis connections", "Open Redis connections", "redis").size(12, 8),
		waits("Waits for a Redis connection", "redis").size(12, 8),
	}}
}

// connections shows the pools of a kind, each below the line of its maximum.
func connections(title, what, kind string) *panel {
	return graph(text{title, what + " by pool and state. The line is the most that the pool may open, if it has a limit."}, "short",
		query{"sum by (pool, state) (@" + kind + "_connections)", "{{pool}} {{state}}"},
		query{"sum by (pool) (@" + kind + "_connections_max)", "{{pool}} max"}).stacked().unstackLike("/ max$/")
}

// waits shows what a pool that is too small costs.
func waits(title, kind string) *panel {
	return graph(text{title, "How often callers had to wait for a connection, and how many were waiting on average."}, "short",
		query{"sum by (pool) (rate(@" + kind + "_connection_waits[$__rate_interval]))", "{{pool}} waits a second"},
		query{"sum by (pool) (rate(@" + kind + "_connection_wait[$__rate_interval]))", "{{pool}} waiting"})
}
