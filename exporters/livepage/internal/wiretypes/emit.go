package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
)

// emit returns the structs of a Go file as declarations of TypeScript. A type keeps its name, with a
// capital; a field has the name of its JSON, and is optional if that is. A pointer may be null.
func emit(name string, source []byte) ([]byte, error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "// Code generated from %s by internal/wiretypes. DO NOT EDIT.\n", name)
	out.WriteString("\n/** Nano-dollars. Beyond what a number holds exactly, they are a string. */\nexport type Amount = number | string;\n")
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.TYPE {
			continue
		}
		for _, spec := range group.Specs {
			one := spec.(*ast.TypeSpec)
			fields, ok := one.Type.(*ast.StructType)
			if !ok {
				continue
			}
			fmt.Fprintf(&out, "\n%sexport interface %s {\n", comment("", group.Doc), title(one.Name.Name))
			for _, f := range fields.Fields.List {
				text, err := field(f)
				if err != nil {
					return nil, fmt.Errorf("%s: %s: %w", name, one.Name.Name, err)
				}
				out.WriteString(text)
			}
			out.WriteString("}\n")
		}
	}
	return []byte(out.String()), nil
}

func field(f *ast.Field) (string, error) {
	if len(f.Names) != 1 || f.Tag == nil {
		return "", fmt.Errorf("each field has a line and a json tag of its own")
	}
	quoted, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return "", err
	}
	name, option, _ := strings.Cut(reflect.StructTag(quoted).Get("json"), ",")
	if name == "" || name == "-" || option != "" && option != "omitempty" {
		return "", fmt.Errorf("%s: its json tag has no name, or an option other than omitempty", f.Names[0])
	}
	kind, err := typeOf(f.Type)
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.Names[0], err)
	}
	optional := ""
	if option != "" {
		optional = "?"
	}
	return fmt.Sprintf("%s  %s%s: %s;\n", comment("  ", f.Comment), name, optional, kind), nil
}

func typeOf(e ast.Expr) (string, error) {
	switch e := e.(type) {
	case *ast.Ident:
		switch e.Name {
		case "int", "int64", "float64":
			return "number", nil
		case "string":
			return "string", nil
		case "bool":
			return "boolean", nil
		}
		if ast.IsExported(e.Name) || e.Name == "any" || e.Name == "uint64" {
			break
		}
		return title(e.Name), nil
	case *ast.StarExpr:
		kind, err := typeOf(e.X)
		return kind + " | null", err
	case *ast.ArrayType:
		kind, err := typeOf(e.Elt)
		if strings.Contains(kind, " ") {
			kind = "(" + kind + ")"
		}
		return kind + "[]", err
	}
	return "", fmt.Errorf("%T has no counterpart in JSON that the page knows", e)
}

// comment returns a comment as one of JavaScript, or "".
func comment(indent string, c *ast.CommentGroup) string {
	text := strings.Join(strings.Fields(c.Text()), " ")
	if text == "" {
		return ""
	}
	return indent + "/** " + strings.ReplaceAll(text, "*/", "* /") + " */\n"
}

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
