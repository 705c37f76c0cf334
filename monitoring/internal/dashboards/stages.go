package dashboards

// stages is the page of the stages: all beside each other, then each by itself.
func stages() dashboard {
	return newDashboard("stages", text{
		"stagemeter / Stages",
		"Where the time goes: every stage beside the others, then each by itself.",
	}, append(pipelineVariables(), stageVariable()), pipelineAlerts,
		allStages(), oneStage())
}

func allStages() row {
	return row{title: "All stages", panels: []*panel{
		graph(text{"P95 duration by stage", "19 of 20 runs of the stage took no longer."},
			"s", query{quantile(0.95, "duration", `{stage=~"$stage"}`, "stage"), "{{stage}}"}).size(12, 8),
		graph(text{
			"Time spent by stage",
			"Seconds that all runs of a stage together took, per second: how many of them ran at once on average. It is " +
				"counted when a run ends.",
		}, "short", query{`sum by (stage) (rate(@duration:sum{stage=~"$stage"}[$__rate_interval]))`, "{{stage}}"}).
			stacked().size(12, 8),
		graph(text{"In progress", "Runs of stages that have started and not ended."},
			"short", query{`sum by (stage) (@stages_in_progress{stage=~"$stage"})`, "{{stage}}"}).stacked(),
		graph(text{"P95 ratio by stage", "Duration of a stage divided by that of its video: 19 of 20 runs were below."},
			"short", query{quantile(0.95, "ratio", `{stage=~"$stage"}`, "stage"), "{{stage}}"}).limits("green", ratioLimit),
		graph(text{
			"Stalled stages", "Runs whose reported progress does not grow. Only of pipelines with WithDetails or a live page.",
		}, "short", query{`sum by (stage) (@stages_stalled{stage=~"$stage"})`, "{{stage}}"}).stacked().limits("green", limit{1, "orange"}),
		graph(text{
			"Overdue jobs", "Jobs in progress with a stage that takes longer than nearly all earlier runs took.",
		}, "short", query{`sum by (job) (@jobs_overdue)`, "{{job}}"}).stacked(),
		graph(text{
			"Progress by stage", "Part of the runs in progress that is done, on average. Only of pipelines with WithDetails or a live page.",
		}, "percentunit", query{`avg by (stage) (@stage_progress{stage=~"$stage"})`, "{{stage}}"}),
		graph(text{"Errors outside of stages, per hour", "Errors that ended a job and were counted in none of its stages."},
			"short", query{perHour(`errors{stage="job"}`, "error_type"), "{{error_type}}"}).stacked().empty("no errors"),
	}}
}

func oneStage() row {
	return row{title: "$stage", repeat: "stage", panels: []*panel{
		heatmap(text{"Duration: $stage", "Runs of the stage by how long they took."},
			"s", "duration", `{stage=~"$stage"}`).size(12, 8),
		graph(text{"Duration quantiles: $stage", "Time from the start to the end of a run."},
			"s", quantiles("duration", `{stage=~"$stage"}`)...).size(12, 8),
		graph(text{"Ratio: $stage", "Duration of a run divided by that of its video. Below 1 is faster than real time."},
			"short", quantiles("ratio", `{stage=~"$stage"}`)...).limits("green", ratioLimit),
		graph(text{"Throughput: $stage", "Runs that ended, per hour, by program."},
			"short", query{perHour(`duration:count{stage=~"$stage"}`, "job"), "{{job}}"}).stacked(),
		graph(text{"In progress: $stage", "Runs that have started and not ended, by instance."},
			"short", query{`sum by (instance) (@stages_in_progress{stage=~"$stage"})`, "{{instance}}"}).stacked(),
		graph(text{"Errors by type: $stage", "Errors per hour, by class."},
			"short", query{perHour(`errors{stage=~"$stage"}`, "error_type"), "{{error_type}}"}).stacked(),
		graph(text{"Error rate: $stage", "Errors for each run. A run can record several, so that it may pass 100 %."},
			"percentunit", query{errorRate("stage"), "{{stage}}"}).limits("green", limit{0.05, "red"}),
		errorTypes("Error types: $stage", ""),
	}}
}
