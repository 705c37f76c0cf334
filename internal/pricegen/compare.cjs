// Prints what the npm package genai-prices says that the calls on standard input cost, in dollars,
// or null, as JSON. A call with prices is priced by those.
const {findProvider, extractUsage, calcPrice} = require(process.argv[1]);
const calls = JSON.parse(require("fs").readFileSync(0));
process.stdout.write(JSON.stringify(calls.map(c => {
  try {
    if (c.prices && !Object.keys(c.prices).length) return null;
    const provider = findProvider({providerId: c.provider});
    let usage = c.usage, model = c.model;
    if (!usage) {
      const found = extractUsage(provider, c.answer, c.flavor);
      usage = found.usage;
      model = found.model || model;
    }
    const own = {id: "own", name: "own", api_pattern: ".*", models: [{id: model, match: {equals: model}, prices: c.prices}]};
    const price = calcPrice(usage, model, c.prices ? {provider: own} : {providerId: c.provider});
    return price && price.total_price;
  } catch (e) {
    return null;
  }
})));
