package browser

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"

	"github.com/stagemeter/stagemeter/instrument"
)

// cost returns the CPU time that the page's thread took for each snapshot that came meanwhile.
func (b *tab) cost(meanwhile func()) string {
	b.t.Helper()
	domain := performance.EnableTimeDomainThreadTicks
	call(b, performance.Enable, performance.EnableParams{TimeDomain: domain})
	read := func() map[string]float64 {
		all := make(map[string]float64)
		for _, m := range call(b, performance.GetMetrics, cdp.Empty{}).Metrics {
			all[m.Name] = m.Value
		}
		return all
	}
	first, from := eval[float64](b, "snapshots"), read()
	meanwhile()
	to, n := read(), eval[float64](b, "snapshots")-first
	each := func(name string) float64 { return (to[name] - from[name]) * 1000 / n }
	return fmt.Sprintf("%.0f ms (scripts %.0f, styles %.0f, layout %.0f)", each("TaskDuration"), each("ScriptDuration"), each("RecalcStyleDuration"), each("LayoutDuration"))
}

// Of 1,000 live jobs 100 are drawn, all are counted, and the filter finds each of them.
func TestThousandJobs(t *testing.T) {
	m := start(t)
	const jobs, ends = 1000, 150
	for i := range jobs + ends {
		ctx, job := m.p.StartJob(t.Context(), fmt.Sprintf("video-%04d.mp4", i), instrument.WithBudget(instrument.Dollar))
		for _, name := range stages[:3] {
			_, stage := instrument.StartStage(ctx, name)
			stage.End(nil)
		}
		pay(ctx, "whisper", instrument.Cent)
		stageCtx, stage := instrument.StartStage(ctx, "rendering")
		instrument.ReportProgress(stageCtx, float64(i%90), 100, instrument.WithSpeed(8))
		if i >= jobs {
			stage.End(nil)
			job.End(nil)
			continue
		}
		defer job.End(nil)
	}
	b := open(t, m.url)
	b.waitText(running, "1,000")
	b.waitText("section h2 + .soft", "100 of 1,000")
	b.waitText(".legend", "900 more: filter to find them")
	b.waitText("section[aria-labelledby=h-fin] .head", "last 12 of 150")
	if n := len(b.texts(rows)); n != 100 {
		t.Errorf("%d rows are drawn, want 100", n)
	}
	cost := b.cost(func() { b.updated(12) })
	b.shoot("thousand-jobs")
	took := eval[[]float64](b, "frames_ms.slice(-12)")
	slices.Sort(took)
	t.Logf("a snapshot of 1,000 jobs takes %s of the browser's CPU for 100 rows of %d elements; %.0f ms pass from its event to the end of the layout (median)",
		cost, eval[int](b, `document.querySelectorAll("*").length`), took[len(took)/2])

	b.press("/")
	b.press("0", "9", "9", "9")
	b.waitRows("video-0999.mp4")
	b.waitText("section h2 + .soft", "1 of 1,000")
	b.updated(3)
	b.waitRows("video-0999.mp4") // it stays found
}
