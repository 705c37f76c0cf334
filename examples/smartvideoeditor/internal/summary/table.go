package summary

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"
)

// WriteTable writes the jobs as a table, and a line of totals.
func WriteTable(w io.Writer, jobs []Job) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "JOB\tSTATUS\tTIME\tCOST\tSPEECH\tTOKENS\tSCENES\tREEL\tLOUDNESS SPREAD\tOUTPUT")
	count := make(map[string]int)
	cost := 0.0
	for _, job := range jobs {
		count[job.Status]++
		cost += job.CostUSD
		var took time.Duration
		for _, stage := range job.Stages {
			took += time.Duration(stage.Seconds * float64(time.Second))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t$%.4f\t%s\t%s\t%d\t%d\t%s → %s\t%s\n", job.ID, job.Status, took.Round(100*time.Millisecond),
			job.CostUSD, minutes(job.SpeechSeconds), tokens(job), job.Segments, job.Highlights, loudness(job.LoudnessSpreadBeforeLU), loudness(job.LoudnessSpreadAfterLU),
			cmp.Or(printable(short(job.Output)), job.ErrorType))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	_, err := fmt.Fprintf(w, "%d completed, %d failed, %d canceled; $%.4f\n", count[Completed], count[Failed], count[Canceled], cost)
	return err
}

// minutes shows the sound that was transcribed.
func minutes(seconds float64) string { return fmt.Sprintf("%.1f min", seconds/60) }

// tokens shows those of the chat model, in and out.
func tokens(job Job) string { return fmt.Sprintf("%d → %d", job.InputTokens, job.OutputTokens) }

func loudness(spread *float64) string {
	if spread == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f LU", *spread)
}

// short is a path as seen from here, if it is below.
func short(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if below, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(below) {
		return below
	}
	return path
}

// printable quotes a path that would do something to a terminal.
func printable(path string) string {
	for _, r := range path {
		if r < ' ' || r == 0x7f || r == 0xFFFD {
			return fmt.Sprintf("%q", path)
		}
	}
	return path
}
