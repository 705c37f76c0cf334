package livepage

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// modules returns files of a page: names and contents in turns.
func modules(parts ...string) fs.FS {
	files := fstest.MapFS{}
	for i := 0; i < len(parts); i += 2 {
		files[parts[i]] = &fstest.MapFile{Data: []byte(parts[i+1])}
	}
	return files
}

func TestModulesAreJoinedInTheOrderOfTheirImports(t *testing.T) {
	files := modules(
		"app.js", `// The page.
import { html, nothing } from "./lib/lit.js";
import { jobs } from "./panels/jobs.js";
import { usd } from "./format.js";

/** @type {string} */
const row = jobs(usd(1)); // once
`,
		"panels/jobs.js", `/** @import { Job } from "../wire.d.ts" */
import { html } from "../lib/lit.js";
import { usd, NONE } from "../format.js";

/**
 * Draws.
 * @param {Job} j
 */
export const jobs = j => html`+"`<b>${usd(/** @type {any} */ (j))}</b>`"+`;
const row = NONE;
`,
		"format.js", `export const NONE = "–";
export function usd(n) {
  return "$" + n;
}
export async function later() {}
`)
	const want = `import { html, nothing } from "./lib/lit.js";
const m1 = (() => {
const NONE = "–";
function usd(n) {
return "$" + n;
}
async function later() {}
return { NONE, usd, later };
})();
const m2 = (() => {
const { usd, NONE } = m1;
const jobs = j => html` + "`<b>${usd((j))}</b>`" + `;
const row = NONE;
return { jobs };
})();
const m3 = (() => {
const { jobs } = m2;
const { usd } = m1;
const row = jobs(usd(1));
return {  };
})();
`
	got, err := joinModules(files, "app.js")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// With whole, minified modules of others become functions as well, each once and before it is used.
func TestVendoredModulesAreJoinedWhole(t *testing.T) {
	files := modules(
		"app.js", "import { a, b } from \"./lib/x/one.js\";\nimport { c } from \"./lib/x/deep/two.js\";\na(b, c);\n",
		"lib/x/one.js", "/**\n * @license\n */\nconst t=1,i=importNode;export{t as a,i as b};\n//# sourceMappingURL=one.js.map\n",
		"lib/x/deep/two.js", "import{a as e,b as s}from\"../one.js\";import{d}from\"../three.js\";\nconst u=e+s+d;export{u as c};\r\n",
		"lib/x/three.js", "const d=3;export{d};",
	)
	const want = `const m1 = (() => {
/**
 * @license
 */
const t=1,i=importNode;return{a:t,b:i};
})();
const m2 = (() => {
const d=3;return{d};})();
const m3 = (() => {
const{a:e,b:s}=m1;const{d}=m2;
const u=e+s+d;return{c:u};
})();
const m4 = (() => {
const { a, b } = m1;
const { c } = m3;
a(b, c);
return {  };
})();
`
	got, err := joinWhole(files, "app.js")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestVendoredModulesThatCannotBeJoinedAreAnError(t *testing.T) {
	for _, text := range []string{"export default 1;", "export const a=1;", `import*as b from"./b.js";export{b as a};`, `const a=import("./b.js");export{a};`, `export{a}from"./b.js";`} {
		files := modules("app.js", `import { a } from "./lib/a.js";`, "lib/a.js", text, "lib/b.js", "const a=1;export{a};")
		if got, err := joinWhole(files, "app.js"); err == nil || !strings.Contains(err.Error(), "lib/a.js") {
			t.Errorf("%s: %q, error %v", text, got, err)
		}
	}
}

func TestModulesThatCannotBeJoinedAreAnError(t *testing.T) {
	for _, c := range []struct {
		reason string
		files  fs.FS
		says   string
	}{
		{"a cycle", modules("app.js", `import { a } from "./a.js";`, "a.js", `import { b } from "./app.js";`), "app.js imports itself"},
		{"no such module", modules("app.js", `import { a } from "./a.js";`), "a.js"},
		{"another name", modules("app.js", `import { a as b } from "./a.js";`, "a.js", ""), "import { a as b }"},
		{"everything", modules("app.js", `import * as a from "./a.js";`, "a.js", ""), "import * as a"},
		{"for its effect", modules("app.js", `import "./a.js";`, "a.js", ""), `import "./a.js"`},
		{"several lines", modules("app.js", "import {\na } from \"./a.js\";", "a.js", ""), "import {"},
		{"a list of exports", modules("app.js", `export { a };`), "export { a }"},
		{"a default", modules("app.js", `export default 1;`), "export default"},
		{"what may change", modules("app.js", `export let a = 1;`), "export let"},
	} {
		if got, err := joinModules(c.files, "app.js"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q, error %v, want one that says %s", c.reason, got, err, c.says)
		}
	}
}

func TestCodeHasNoComments(t *testing.T) {
	const text = `/* One
   two. */
a { b: c; } /* three */

  // Four.
  "//five"; // six
  /** @type {string} */ (seven);
  /** eight */
`
	want := []string{"a { b: c; } /* three */", `"//five";`, "(seven);"}
	if got := code(text); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Of what is in app.js nothing but its code is served, and no module twice.
func TestPageIsJoined(t *testing.T) {
	text := string(files()["/live/app.js"].plain)
	for _, once := range []string{"new EventSource(", "function usd(", "function reduce(", "function loudness(snap", "function drawer("} {
		if n := strings.Count(text, once); n != 1 {
			t.Errorf("%s is there %d times, want once", once, n)
		}
	}
	for _, never := range []string{"@param", "@import", "/**", "\nexport ", "innerHTML", "eval(", "style=\"", "new Function"} {
		if strings.Contains(text, never) {
			t.Errorf("it has %q", never)
		}
	}
}
