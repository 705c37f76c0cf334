// Command mutants breaks rules, each time in one place: a threshold, an aggregation, a rate, a guard, a label. What
// tests such rules has to fail for every one of them.
//
// It reads rule files, or queries, as JSON on its standard input, {"NAME": "EXPR", …}, and writes what it made of
// them as JSON: [{"name", "what", "expr"}, …].
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// A mutant is an expression that was broken in one place.
type mutant struct {
	Name string `json:"name"`
	What string `json:"what"`
	Expr string `json:"expr"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("mutants: ")
	var exprs map[string]string
	if err := json.NewDecoder(os.Stdin).Decode(&exprs); err != nil {
		log.Fatal(err)
	}
	all := []mutant{}
	for _, name := range slices.Sorted(maps.Keys(exprs)) {
		mutants, err := mutate(name, exprs[name])
		if err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		all = append(all, mutants...)
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		log.Fatal(err)
	}
}

// mutate breaks an expression in every way and place that it knows. What does not type-check any more is left out,
// and so is what came out unchanged.
func mutate(name, expr string) ([]mutant, error) {
	tree, err := parse(expr)
	if err != nil {
		return nil, err
	}
	whole := tree.String()
	var mutants []mutant
	seen := map[string]bool{whole: true}
	for place := range count(tree) {
		for way := 0; ; way++ {
			tree, err := parse(expr)
			if err != nil {
				return nil, err
			}
			what := breakAt(&tree, place, way)
			if what == "" {
				break
			}
			broken := tree.String()
			if _, err := parse(broken); err != nil || seen[broken] {
				continue
			}
			seen[broken] = true
			mutants = append(mutants, mutant{name, what, broken})
		}
	}
	return mutants, nil
}

func parse(expr string) (parser.Expr, error) {
	return parser.NewParser(parser.Options{}).ParseExpr(expr)
}

// slots visits every expression in the tree through the place that holds it, so that it can be exchanged.
func slots(at *parser.Expr, visit func(*parser.Expr)) {
	visit(at)
	switch e := (*at).(type) {
	case *parser.AggregateExpr:
		slots(&e.Expr, visit)
	case *parser.BinaryExpr:
		slots(&e.LHS, visit)
		if factor, ok := number(e.LHS); ok && e.Op == parser.MUL && factor.Val == 0 {
			return // 0 times whatever is 0
		}
		slots(&e.RHS, visit)
	case *parser.Call:
		for i := range e.Args {
			slots(&e.Args[i], visit)
		}
	case *parser.ParenExpr:
		slots(&e.Expr, visit)
	case *parser.UnaryExpr:
		slots(&e.Expr, visit)
	case *parser.MatrixSelector:
		slots(&e.VectorSelector, visit)
	}
}

func count(tree parser.Expr) (n int) {
	slots(&tree, func(*parser.Expr) { n++ })
	return n
}

// breakAt breaks the expression at a place in one of the ways that fit it, and says how; "" if there is none left.
func breakAt(tree *parser.Expr, place, way int) (what string) {
	n := 0
	slots(tree, func(at *parser.Expr) {
		if n == place {
			if fixes := waysFor(at); way < len(fixes) {
				what = fixes[way]()
			}
		}
		n++
	})
	return what
}

// waysFor are the ways in which one expression can be broken.
func waysFor(at *parser.Expr) []func() string {
	switch e := (*at).(type) {
	case *parser.BinaryExpr:
		return binaryWays(at, e)
	case *parser.AggregateExpr:
		return aggregateWays(at, e)
	case *parser.Call:
		return callWays(at, e)
	case *parser.VectorSelector:
		return selectorWays(e)
	}
	return nil
}

func binaryWays(at *parser.Expr, e *parser.BinaryExpr) (ways []func() string) {
	if limit, ok := number(e.RHS); ok && e.Op.IsComparisonOperator() {
		if limit.Val == 0 {
			return []func() string{func() string {
				what := fmt.Sprintf("without the guard: %s %v", e.Op, limit)
				*at = e.LHS
				return what
			}}
		}
		for _, factor := range []float64{2, 0.5} {
			ways = append(ways, func() string {
				limit.Val *= factor
				return fmt.Sprintf("threshold times %v", factor)
			})
		}
		return ways
	}
	if e.Op.IsSetOperator() {
		ways = append(ways, func() string {
			what := "without the right side of: " + e.Op.String()
			*at = e.LHS
			return what
		})
	}
	return ways
}

// number is the number that a side of a comparison is, or begins with.
func number(e parser.Expr) (*parser.NumberLiteral, bool) {
	switch e := e.(type) {
	case *parser.NumberLiteral:
		return e, true
	case *parser.ParenExpr:
		return number(e.Expr)
	case *parser.BinaryExpr:
		if _, ok := number(e.RHS); ok {
			return number(e.LHS)
		}
	}
	return nil, false
}

func aggregateWays(at *parser.Expr, e *parser.AggregateExpr) []func() string {
	ways := []func() string{func() string {
		what := "without " + e.Op.String()
		*at = e.Expr
		return what
	}}
	if e.Op == parser.SUM {
		ways = append(ways, func() string { e.Op = parser.MAX; return "max for sum" })
	}
	for i, label := range e.Grouping {
		ways = append(ways, func() string {
			e.Grouping = slices.Delete(e.Grouping, i, i+1)
			return "without the group by " + label
		})
	}
	return ways
}

func callWays(at *parser.Expr, e *parser.Call) []func() string {
	if e.Func.Name == "histogram_quantile" {
		return []func() string{func() string {
			e.Args[0] = &parser.NumberLiteral{Val: 0.5}
			return "the median"
		}}
	}
	if len(e.Args) != 1 {
		return nil
	}
	if m, ok := e.Args[0].(*parser.MatrixSelector); ok {
		what := "without " + e.Func.Name
		return []func() string{func() string { *at = m.VectorSelector; return what }}
	}
	return nil
}

func selectorWays(e *parser.VectorSelector) (ways []func() string) {
	for i, m := range e.LabelMatchers {
		if m.Name == "__name__" {
			continue
		}
		ways = append(ways, func() string {
			e.LabelMatchers = slices.Delete(e.LabelMatchers, i, i+1)
			return "without " + strings.TrimSpace(m.String())
		})
	}
	return ways
}
