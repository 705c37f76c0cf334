package arch

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// moneyPackage is the only package that adds and multiplies amounts by operators.
const moneyPackage = module + "/instrument/money"

// Plain + and * of amounts wrap around, and make an ordinary amount of one that is none. So no other
// package of the workspace uses them on amounts that are not constants, not even in tests.
func TestAmountsAreAddedByPackageMoney(t *testing.T) {
	sourceFiles(t, func(string, []byte) {}) // a change of a file is a reason to run this test again
	finder := make(amountFinder)
	found := make(map[string]bool) // the packages that were read
	checkWorkspace(t, func(path string, fset *token.FileSet, files []*ast.File, info *types.Info) {
		found[path] = true
		if strings.TrimSuffix(path, "_test") == moneyPackage {
			return
		}
		for _, problem := range finder.arithmetic(fset, path, files, info) {
			t.Error(problem)
		}
	})
	for _, p := range []string{"instrument", "instrument_test", "instrument/budget", "instrument/budget/budgettest", "instrument/instrumenttest",
		"bench", "examples/aicosts/openai", "examples/quickstart", "examples/smartvideoeditor", "e2e/stack"} {
		if !found[module+"/"+p] {
			t.Errorf("package %s was not read", p)
		}
	}
}

func TestAmountFinderFindsArithmetic(t *testing.T) {
	const source = `package p

import (
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

type (
	alias   = instrument.USD
	price   money.USD
	derived price
	bill    struct {
		total money.USD
		parts map[string][]alias
	}
)

const fee = 2*money.Dollar + 50*instrument.Cent

func amount() money.USD

func allowed(u, v money.USD, n int64, d time.Duration) {
	_ = fee + 3*money.Cent
	_ = money.Sum(u, v, -u, u-v, u/2, money.Mul(u, n), money.USD(n))
	_ = n + 2
	n += 2 * n
	n++
	d *= 2
	_ = u + v - v > 0 // want
	_ = "a" + u.String()
	_ = u > v
	u -= v
	u--
	_ = u.Float64() * 2
}

func forbidden(u money.USD, v instrument.USD, w alias, x price, y derived, b *bill, p *money.USD, n int64, f float64) {
	_ = u + v                             // want
	_ = u * money.USD(n)                  // want
	_ = 2 * v                             // want
	_ = money.Dollar + v                  // want
	_ = money.USD(n) * money.Dollar       // want
	_ = w + 1                             // want
	_ = x + x                             // want
	_ = y * 2                             // want
	_ = (u - 1) + 1                       // want
	_ = amount() + amount()               // want
	u += v                                // want
	u *= 2                                // want
	u++                                   // want
	*p += 1                               // want
	(*p)++                                // want
	b.total += u                          // want
	b.total++                             // want
	b.parts["a"][0] *= 2                  // want
	x += 1                                // want
	y++                                   // want
	go func() { b.total = b.total + u }() // want
	_ = []money.USD{u + 1}                // want
	_ = money.USD(n + n)                  // want
	_ = instrument.USD((n * 2))           // want
	_ = price(f * 1e9)                    // want
	_ = int64(u) + n                      // want
	_ = n * (int64)(v)                    // want
	n += int64(u)                         // want
	f += float64(u)                       // want
}

func generic[T money.USD](a, b T) T { return a + b } // want
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "source", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	info := newTypeInfo()
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", exportData(t, file.Imports)), Error: func(error) {}} // of unused variables
	_, _ = conf.Check("p", fset, []*ast.File{file}, info)
	got := make(amountFinder).arithmetic(fset, "p", []*ast.File{file}, info)
	var want []string
	for i, line := range strings.Split(source, "\n") {
		if strings.HasSuffix(line, "// want") {
			want = append(want, fmt.Sprintf("source:%d:", i+1))
		}
	}
	for i := range got {
		line, _, _ := strings.Cut(strings.TrimPrefix(got[i], "source:"), ":")
		got[i] = "source:" + line + ":"
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%q, want\n%q", got, want)
	}
}

// A rate by time and a rate by count differ by a factor of a billion.
func TestRatesApplyToTheirUnits(t *testing.T) {
	const head = `package p
import (
	"time"
	"github.com/stagemeter/stagemeter/instrument/money"
)
func _(n int64, d time.Duration) {
	_, _ = money.PerMinute(money.Cent).Of(d), money.PerMillion(money.Cent).Of(n)
	_ = money.Total(money.PerHour(1).Times(d), money.Per(1, 1000).Times(n), money.PerCharacter(1).Times(n))
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "source", head+"}", parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	deps := importer.ForCompiler(fset, "gc", exportData(t, file.Imports))
	if err := compile(fset, deps, head+"}"); err != nil {
		t.Error(err)
	}
	for _, confused := range []string{
		"money.PerSecond(1).Of(n)", "money.PerMinute(1).Of(n)", "money.PerHour(1).Times(n)", "money.PerDuration(1, n)",
		"money.Per(1, 1).Of(d)", "money.PerMillion(1).Of(d)", "money.PerCharacter(1).Times(d)", "money.Per(1, d)",
	} {
		if err := compile(fset, deps, head+"_ = "+confused+"\n}"); err == nil {
			t.Errorf("%s compiles", confused)
		}
	}
}

// An amountFinder finds arithmetic on amounts of money. It has the types that are defined as an
// amount, such as `type price money.USD`, by package and name.
type amountFinder map[string]bool

func newTypeInfo() *types.Info { return &types.Info{Types: make(map[ast.Expr]types.TypeAndValue)} }

// arithmetic returns the additions and multiplications of amounts in a package, whose imports it has
// seen before.
func (a amountFinder) arithmetic(fset *token.FileSet, path string, files []*ast.File, info *types.Info) (problems []string) {
	report := func(pos token.Pos, problem string) {
		at := fset.Position(pos)
		problems = append(problems, fmt.Sprintf("%s:%d:%d: %s", at.Filename, at.Line, at.Column, problem))
	}
	for more := true; more; { // a type may be defined before the one that it is defined as
		before := len(a)
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				if spec, ok := n.(*ast.TypeSpec); ok && !spec.Assign.IsValid() && a.has(info.TypeOf(spec.Type)) {
					a[path+"."+spec.Name.Name] = true
				}
				return true
			})
		}
		more = len(a) > before
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if info.Types[n].Value == nil && (n.Op == token.ADD || n.Op == token.MUL) &&
					(a.has(info.TypeOf(n)) || a.converted(info, n.X) || a.converted(info, n.Y)) {
					report(n.OpPos, "amounts are added by money.Sum and multiplied by money.Mul")
				}
			case *ast.AssignStmt:
				if (n.Tok == token.ADD_ASSIGN || n.Tok == token.MUL_ASSIGN) && (a.has(info.TypeOf(n.Lhs[0])) || a.converted(info, n.Rhs[0])) {
					report(n.TokPos, "amounts are added by money.Sum and multiplied by money.Mul")
				}
			case *ast.IncDecStmt:
				if n.Tok == token.INC && a.has(info.TypeOf(n.X)) {
					report(n.TokPos, "amounts are added by money.Sum")
				}
			case *ast.CallExpr:
				if !info.Types[n.Fun].IsType() || !a.has(info.TypeOf(n.Fun)) {
					break
				}
				if sum, ok := ast.Unparen(n.Args[0]).(*ast.BinaryExpr); ok && info.Types[sum].Value == nil && !a.has(info.TypeOf(sum)) &&
					(sum.Op == token.ADD || sum.Op == token.MUL) {
					report(sum.OpPos, "numbers are converted before they are added or multiplied, which package money does")
				}
			}
			return true
		})
	}
	return problems
}

// has reports whether t is money.USD, is defined as it, or is a type parameter for it.
func (a amountFinder) has(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		name := t.Obj()
		return name.Pkg() != nil && (name.Pkg().Path() == moneyPackage && name.Name() == "USD" || a[name.Pkg().Path()+"."+name.Name()])
	case *types.TypeParam:
		constraint, ok := t.Constraint().Underlying().(*types.Interface)
		for i := 0; ok && i < constraint.NumEmbeddeds(); i++ {
			union, isUnion := constraint.EmbeddedType(i).(*types.Union)
			if !isUnion {
				return a.has(constraint.EmbeddedType(i))
			}
			for term := range union.Terms() {
				if a.has(term.Type()) {
					return true
				}
			}
		}
	}
	return false
}

// converted reports whether an expression is an amount that is converted to a plain number:
// int64(u).
func (a amountFinder) converted(info *types.Info, expr ast.Expr) bool {
	call, ok := ast.Unparen(expr).(*ast.CallExpr)
	return ok && info.Types[call.Fun].IsType() && len(call.Args) == 1 && info.Types[call.Args[0]].Value == nil && a.has(info.TypeOf(call.Args[0])) &&
		types.Identical(info.TypeOf(call.Fun), info.TypeOf(call.Fun).Underlying())
}
