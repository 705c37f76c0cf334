package corpus

import (
	"math"
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// What the formats, the translation of names, or Prometheus could stumble over. What is strange can be shown; of what
// is wild some can't.
var (
	strangeNames = []string{
		"9lives", "sp ace", "ünïcode", "a:b", "new\nline", `quo"te`, "x.count", "A.B", "job_seconds", "total", "ratio",
		"requests_total", strings.Repeat("long.", 60),
	}
	collidingNames = []string{"x", "x", "x_count", "x_sum", "x_bucket", "x.count", "x_total"} // of a histogram x
	wildNames      = append([]string{
		"a.b", "a_b", "a-b", "a/b", "a__b", // one name in Prometheus
		"", "_", "__", "\xff", "target_info", "target.info", "promhttp_metric_handler_errors",
	}, strangeNames...)
	units = []string{
		"", "s", "By", "1", "%", "{job}", "ms", "usd", "By/s", "m/s", "1/s", "{a}/{b}", "/", " ", "furlong", "ü", "\xff",
	}
	helps = []string{
		"", "Jobs that were done.", "two\nlines", `quotes " and \ backslashes`, "  blanks  ", "ü 🎬", "\r", `\n`,
		"# TYPE x counter", "\xff is not UTF-8", "Target metadata", strings.Repeat("long ", 100),
	}
	plainKeys   = []string{"stage", "api", "status", "pool"}
	strangeKeys = []string{
		"a.b", "a_b", "a-b", "a..b", "_a", "key__a", // some are one label in Prometheus
		"__x", "9lives", "quantile", "job", "instance", "sp ace", "k\n\"\\", "x:y", "trace_id", "span_id",
		strings.Repeat("k", 200),
	}
	wildKeys     = append([]string{"", "_", "__", "__name__", "__reserved__", "le", "ключ", "\xff"}, strangeKeys...)
	plainTexts   = []string{"render", "analysis", "success"}
	strangeTexts = []string{
		"", " ", `"`, `\`, `\n`, `a"b\c`, "two\nlines", "\n", "\r", "\t", "\x00", "ünïcode 🎬", "\u2028",
		"a;b", "NaN", "} 1", "# EOF\n", strings.Repeat("long", 60), strings.Repeat("🎬", 50),
	}
	wildTexts   = append([]string{"\xff"}, strangeTexts...)
	otherValues = []attribute.Value{
		attribute.BoolValue(true), attribute.IntValue(0), attribute.Int64Value(math.MinInt64), attribute.Float64Value(0.1),
		attribute.Float64Value(math.NaN()), attribute.Float64Value(math.Inf(-1)), attribute.Float64Value(1e21),
		attribute.BoolSliceValue([]bool{true, false}), attribute.Int64SliceValue([]int64{1, -2}), attribute.IntSliceValue(nil),
		attribute.Float64SliceValue([]float64{0.5, math.NaN(), math.Inf(1)}),
		attribute.StringSliceValue([]string{`a"b`, "two\nlines", "\xff", ""}),
		attribute.ByteSliceValue([]byte{0, 255}), attribute.SliceValue(attribute.IntValue(1), attribute.StringValue("é")),
		attribute.MapValue(attribute.String("k", "v"), attribute.Int("n", 1)), {},
	}
	ints = []int64{
		1, 2, 7, 1000, 0, -1, 1<<53 - 1, 1 << 53, 1<<53 + 1, math.MaxInt64, math.MinInt64, 123456789012, 21_000_000,
	}
	floats = []float64{
		1, 0.5, 2, 7, 0, math.Copysign(0, -1), -1, 0.1, 0.1 + 0.2, 1e-7, 1e6, 1e20, 1e21, 123456789, 1 << 53, 1e300, -1e300,
		math.MaxFloat64, math.SmallestNonzeroFloat64, 2.2250738585072009e-308, math.NaN(), math.Inf(1), math.Inf(-1),
		math.MaxInt64, 1.7976931348623155e308, 99999.99999999999,
	}
	strangeBounds = [][]float64{
		{1, 2, 5}, {0}, {}, {-5, 0, 0.1, 1e-7 + 1, 1e6, 1e21}, {math.Inf(-1), 0}, {123456789, 1 << 53},
		{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
	}
	wildBounds = append([][]float64{{1, math.Inf(1)}}, strangeBounds...)
)
