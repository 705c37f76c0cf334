// Prints the providers that the npm package genai-prices has, as JSON.
const fs = require("fs");
const file = require.resolve(process.argv[1]);
const {findProvider} = require(file);
const ids = new Set([...fs.readFileSync(file, "utf8").matchAll(/\{id:"([^"]+)",name:/g)].map(m => m[1]));
const all = [...ids].sort().map(id => findProvider({providerId: id})).filter(p => p && ids.has(p.id) && p.models);
process.stdout.write(JSON.stringify([...new Map(all.map(p => [p.id, p])).values()]));
